// The sum of two terms, kept exactly enough for one rounding.
//
// Neither function rounds: they return a term whose last significand bit is a jam bit, wide enough that rounding it
// into format Y under RULE gives what rounding the exact sum would give, stochastic rounding included.
#pragma once

#include "hwgen/rounding.hpp"
#include "hwgen/shift.hpp"
#include "hwgen/unpack.hpp"

namespace hwgen {

// Sign of a sum that is exactly zero: both zeros negative, or one of them when rounding toward -Inf (IEEE 754, 6.3).
template <class RULE>
HWGEN_INLINE ap_uint<1> sign_of_zero_sum(ap_uint<1> a, ap_uint<1> b) {
  return RULE::kind == mode::rdn ? ap_uint<1>(a | b) : ap_uint<1>(a & b);
}

// --- two terms of one format: swap, align the smaller, add ---

// Significand bits kept below the larger operand's last place. A cancellation of more than one bit needs exponents that
// differ by at most one, and is exact with one bit; otherwise the leading one stays within one place of the top.
template <class Y, class RULE, class T>
struct twin_sum_widths {
  static constexpr int low = larger(1, Y::precision + RULE::extra + 1 - T::precision);
  static constexpr int aligned = T::precision + low + 1;                        // last bit: jam
  static constexpr int max_shift = smaller(T::offset_max, T::precision + low);  // at the end all that is left is jam
  using sum_t = term<aligned + 1, T::offset_max, T::lsb - low - 1, 0>;
};

template <class Y, class RULE, class T>
HWGEN_INLINE typename twin_sum_widths<Y, RULE, T>::sum_t sum_twins(T a, T b) {
  using w = twin_sum_widths<Y, RULE, T>;
  constexpr int p = T::precision;
  constexpr int offset_bits = bits_for(T::offset_max);
  // Offset above significand orders magnitudes: a subnormal shares the offset of the smallest normal.
  const ap_uint<offset_bits + p> a_order =
      (ap_uint<offset_bits + p>(a.offset) << p) | ap_uint<offset_bits + p>(a.significand);
  const ap_uint<offset_bits + p> b_order =
      (ap_uint<offset_bits + p>(b.offset) << p) | ap_uint<offset_bits + p>(b.significand);
  const ap_uint<1> swapped = b_order > a_order;
  const T big = swapped ? b : a;
  const T small = swapped ? a : b;

  const ap_uint<offset_bits> distance = big.offset - small.offset;
  const ap_uint<bits_for(w::max_shift)> amount =
      distance > w::max_shift ? ap_uint<offset_bits>(w::max_shift) : distance;
  const ap_uint<w::aligned> small_aligned = shift_right_jam<w::aligned, w::max_shift>(small.significand, amount);
  const ap_uint<w::aligned> big_aligned = ap_uint<w::aligned>(big.significand) << (w::low + 1);
  using sum_bits = ap_uint<w::aligned + 1>;
  const ap_uint<1> subtract = a.negative ^ b.negative;

  typename w::sum_t sum;
  sum.offset = big.offset;
  // One carry chain for both: big - small is big + ~small + 1, and its carry, always set, is no part of it.
  const sum_bits small_signed = subtract ? sum_bits(~sum_bits(small_aligned)) : sum_bits(small_aligned);
  sum.significand = sum_bits(big_aligned) + small_signed + sum_bits(subtract);
  sum.negative = sum.significand == 0 ? sign_of_zero_sum<RULE>(a.negative, b.negative) : big.negative;
  return sum;
}

// --- any two terms: x stays where it is, c is aligned to it ---

// Positions count from x's last place. c's last place lies at d = (c.lsb + c.offset) - (x.lsb + x.offset).
template <class Y, class RULE, class X, class C>
struct sum_widths {
  static constexpr int kept = Y::precision + RULE::extra;
  static constexpr int d_max = C::lsb + C::offset_max - X::lsb;
  static constexpr int d_min = C::lsb - X::lsb - X::offset_max;

  // c's bits below x's last place: as many as rounding can look at under the lowest leading one x can have there. Where
  // c reaches below x although x.offset is 0, that is X::lead; otherwise x is a product with a normal factor.
  static constexpr int x_lead = C::lsb >= X::lsb ? X::lead_off : X::lead;
  static constexpr int low_any = larger(0, larger(kept, C::precision) - x_lead);
  static constexpr int low = smaller(low_any, larger(0, -d_min));

  // From d = high on, x lies below every bit that rounding looks at, and below c's last place, so c can be put at
  // `high` whatever d is. Three bounds on the sum's last place say where that is: with a normalised c the leading one
  // is at d + C::precision - 2 or above; with a subnormal one the last place is not below Y's subnormals' (if Y has
  // any); on a fixed grid it is at most Y::width places below c's, or the result overflows.
  static constexpr int floor_of_y = Y::subnormals ? Y::lsb - C::lsb : -Y::precision;
  static_assert(!Y::fixed_grid || RULE::on_overflow != overflow::wrap,
                "a wrapping result needs fixed-point operands: a far larger operand would hide the bits that remain");
  static constexpr int high_normal = X::precision + kept + 1 - C::precision;
  static constexpr int high_subnormal = X::precision + RULE::extra - larger(-Y::precision, floor_of_y);
  static constexpr int high_any = Y::fixed_grid ? X::precision + kept
                                  : C::lead == C::precision - 1
                                      ? larger(X::precision, high_normal)
                                      : larger(X::precision, larger(high_normal, high_subnormal));
  static constexpr int high = larger(smaller(high_any, d_max), -low);  // there, no bit of c may be lost: x may be zero
  // Whether x may be taken as tiny beside c even where c is zero: it must then be so beside Y's smallest number.
  static constexpr int x_top_beside_zero = C::lsb - high + X::precision;
  static constexpr bool zero_c_may_dominate =
      x_top_beside_zero <= (Y::subnormals ? Y::lsb - RULE::extra : Y::lsb + Y::precision - 2);

  static constexpr int max_shift = smaller(high + low + C::precision, high - smaller(d_min, high));
  static constexpr int c_width = high + C::precision + low + 1;              // last bit: jam
  static constexpr int width = larger(X::precision + low + 1, c_width) + 1;  // and a carry
  static constexpr int anchor_min = zero_c_may_dominate ? C::lsb - high : smaller(X::lsb, C::lsb - high);
  static constexpr int anchor_max = larger(X::lsb + X::offset_max, C::lsb + C::offset_max - high);
  static constexpr int d_top = larger(larger(d_max, high), 0);
  static constexpr int d_bits = 1 + bits_for(d_top - smaller(d_min, 0));  // holds d and high - d
  using sum_t = term<width, anchor_max - anchor_min, anchor_min - low - 1, 0>;
};

template <class Y, class RULE, class X, class C>
HWGEN_INLINE typename sum_widths<Y, RULE, X, C>::sum_t sum_terms(X x, C c) {
  using w = sum_widths<Y, RULE, X, C>;
  using d_t = ap_int<w::d_bits>;
  using wide_t = ap_uint<w::width>;
  const ap_uint<1> x_zero = x.significand == 0;
  const ap_uint<1> c_zero = c.significand == 0;

  // --- align: c goes to `high` when it dominates, x's exponent meaning nothing if x is zero ---
  const d_t d = d_t(c.offset) - d_t(x.offset) + d_t(C::lsb - X::lsb);
  const ap_uint<1> c_far_above = d > w::high;
  const ap_uint<1> c_dominates = x_zero | (w::zero_c_may_dominate ? c_far_above : ap_uint<1>(c_far_above & ~c_zero));
  const d_t wanted = d_t(w::high) - d;
  const d_t bounded = wanted > w::max_shift ? d_t(w::max_shift) : wanted;
  const ap_uint<bits_for(w::max_shift)> amount = c_dominates ? d_t(0) : bounded;
  const wide_t c_aligned = shift_right_jam<w::c_width, w::max_shift>(c.significand, amount);
  const wide_t x_aligned = wide_t(x.significand) << (w::low + 1);

  // --- add: both differences are formed, so that none needs a second carry chain to change its sign ---
  const ap_uint<1> subtract = x.negative ^ c.negative;
  const ap_int<w::width + 1> x_minus_c = ap_int<w::width + 1>(x_aligned) - ap_int<w::width + 1>(c_aligned);
  const wide_t c_minus_x = c_aligned - x_aligned;
  const ap_uint<1> c_larger = x_minus_c < 0;

  typename w::sum_t sum;
  sum.offset = c_dominates ? typename w::sum_t::offset_t(c.offset + (C::lsb - w::high - w::anchor_min))
                           : typename w::sum_t::offset_t(x.offset + (X::lsb - w::anchor_min));
  sum.significand = !subtract ? wide_t(x_aligned + c_aligned) : c_larger ? c_minus_x : wide_t(x_minus_c);
  sum.negative = sum.significand == 0 ? sign_of_zero_sum<RULE>(x.negative, c.negative)
                                      : ap_uint<1>(subtract & c_larger ? c.negative : x.negative);
  return sum;
}

}  // namespace hwgen
