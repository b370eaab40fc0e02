// The sum of two terms, kept exactly enough for one rounding.
//
// Neither function rounds: they return a term whose last significand bit is a jam bit, wide enough that rounding it
// into format Y under RULE gives what rounding the exact sum would give, stochastic rounding included.
#pragma once

#include "hwgen/carry.hpp"
#include "hwgen/rounding.hpp"
#include "hwgen/shift.hpp"
#include "hwgen/unpack.hpp"

namespace hwgen {

// Sign of a sum that is exactly zero: both zeros negative, or one of them when rounding toward -Inf (IEEE 754, 6.3).
template <class RULE>
HWGEN_INLINE ap_uint<1> sign_of_zero_sum(ap_uint<1> a, ap_uint<1> b) {
  return RULE::kind == mode::rdn ? ap_uint<1>(a | b) : ap_uint<1>(a & b);
}

// The sum of two operands with special values, of which finite ones give `value`: Inf - Inf is invalid, and gives NaN.
template <class S, class A, class B>
HWGEN_INLINE unpacked<S> sum_with_specials(S value, unpacked<A> a, unpacked<B> b) {
  unpacked<S> s;
  s.value = value;
  s.is_inf = a.is_inf | b.is_inf;
  s.is_nan = a.is_nan | b.is_nan | (a.is_inf & b.is_inf & (a.value.negative ^ b.value.negative));
  if (s.is_inf) s.value.negative = a.is_inf ? a.value.negative : b.value.negative;
  return s;
}

// --- two terms of one format: swap, align the smaller, add ---

// Significand bits kept below the larger operand's last place. A cancellation of more than one bit needs exponents that
// differ by at most one, and is exact with one bit; otherwise the leading one stays within one place of the top.
template <class Y, class RULE, class T>
struct twin_sum_widths {
  static constexpr int low = larger(1, Y::precision + RULE::extra + 1 - T::precision);
  static constexpr int aligned = T::precision + low;  // and a jam bit below
  using sum_t = term<aligned + 2, T::offset_max, T::lsb - low - 1, 0, 0, T::offset_min>;
};

// The sum of two terms of which `big` is not smaller.
template <class Y, class RULE, goal GOAL, class T>
HWGEN_INLINE typename twin_sum_widths<Y, RULE, T>::sum_t sum_of_ordered(T big, T small) {
  using w = twin_sum_widths<Y, RULE, T>;
  using offset_t = ap_uint<bits_for(T::offset_max)>;
  const offset_t distance = big.offset - small.offset;
  const window<w::aligned> aligned = shift_into_window<w::aligned, GOAL>(small.significand, distance);

  // One carry chain for both: big - (small + jam) is big + ~small + !jam, where the jam bit stays below.
  using chain_t = ap_uint<w::aligned + 1>;
  const ap_uint<1> subtract = big.negative ^ small.negative;
  const chain_t big_row = chain_t(big.significand) << w::low;
  const chain_t small_row = subtract ? chain_t(~chain_t(aligned.kept)) : chain_t(aligned.kept);
  const chain_t chain = add_with_carry<w::aligned + 1>(big_row, small_row, subtract & ~aligned.jam);

  typename w::sum_t sum;
  sum.offset = big.offset;
  sum.significand = (ap_uint<w::aligned + 2>(chain) << 1) | ap_uint<w::aligned + 2>(aligned.jam);
  sum.negative = chain == 0 ? sign_of_zero_sum<RULE>(big.negative, small.negative) : big.negative;
  return sum;
}

template <class Y, class RULE, class T>
HWGEN_INLINE typename twin_sum_widths<Y, RULE, T>::sum_t sum_twins(T a, T b) {
  constexpr int p = T::precision;
  // Offset above significand orders magnitudes: a subnormal shares the offset of the smallest normal.
  using order_t = ap_uint<bits_for(T::offset_max) + p>;
  const order_t a_order = (order_t(a.offset) << p) | order_t(a.significand);
  const order_t b_order = (order_t(b.offset) << p) | order_t(b.significand);
  const ap_uint<1> swapped = b_order > a_order;
  return sum_of_ordered<Y, RULE, goal::depth>(swapped ? b : a, swapped ? a : b);
}

// --- any two terms: x stays where it is, c is aligned to it ---

// Positions count from x's last place. c's last place lies at d = (c.lsb + c.offset) - (x.lsb + x.offset).
template <class Y, class RULE, class X, class C>
struct sum_widths {
  static constexpr int kept = Y::precision + RULE::extra;
  static constexpr int x_lsb = X::lsb + X::offset_min;  // the lowest weights of the last places
  static constexpr int c_lsb = C::lsb + C::offset_min;
  static constexpr int d_max = C::lsb + C::offset_max - x_lsb;
  static constexpr int d_min = c_lsb - X::lsb - X::offset_max;

  // c's bits below x's last place: as many as rounding can look at under the lowest leading one x can have there. Where
  // c reaches below x although x.offset is least, that is X::lead; otherwise x is a product with a normal factor.
  static constexpr int x_lead = c_lsb >= x_lsb ? X::lead_off : X::lead;
  static constexpr int low_any = larger(0, larger(kept, C::precision) - x_lead);
  static constexpr int low = smaller(low_any, larger(0, -d_min));

  // From d = high on, x lies below every bit that rounding looks at, and below c's last place, so c can be put at
  // `high` whatever d is. Three bounds on the sum's last place say where that is: with a normalised c the leading one
  // is at d + C::precision - 2 or above; with a subnormal one the last place is not below Y's subnormals' (if Y has
  // any); on a fixed grid it is at most Y::width places below c's, or the result overflows.
  static constexpr int floor_of_y = Y::subnormals ? Y::lsb - c_lsb : -Y::precision;
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
  static constexpr int x_top_beside_zero = c_lsb - high + X::precision;
  static constexpr bool zero_c_may_dominate =
      x_top_beside_zero <= (Y::subnormals ? Y::lsb - RULE::extra : Y::lsb + Y::precision - 2);

  static constexpr int max_shift = smaller(high + low + C::precision, high - smaller(d_min, high));
  static constexpr int c_width = high + C::precision + low + 1;              // last bit: jam
  static constexpr int width = larger(X::precision + low + 1, c_width) + 1;  // and a carry
  static constexpr int anchor_min = zero_c_may_dominate ? c_lsb - high : smaller(x_lsb, c_lsb - high);
  static constexpr int anchor_max = larger(X::lsb + X::offset_max, C::lsb + C::offset_max - high);
  static constexpr int d_top = larger(larger(d_max, high), 0);
  static constexpr int d_bits = 1 + bits_for(d_top - smaller(d_min, 0));  // holds d and high - d
  using sum_t = term<width, anchor_max - anchor_min, anchor_min - low - 1, 0>;
};

template <class Y, class RULE, class X, class C>
HWGEN_INLINE typename sum_widths<Y, RULE, X, C>::sum_t sum_terms(X x, C c) {
  using w = sum_widths<Y, RULE, X, C>;
  using d_t = ap_int<w::d_bits>;
  const ap_uint<1> x_zero = is_zero(x);
  const ap_uint<1> c_zero = is_zero(c);

  // --- align: c goes to `high` when it dominates, x's exponent meaning nothing if x is zero ---
  const d_t d = d_t(c.offset) - d_t(x.offset) + d_t(C::lsb - X::lsb);
  const ap_uint<1> c_far_above = d > w::high;
  const ap_uint<1> c_dominates = x_zero | (w::zero_c_may_dominate ? c_far_above : ap_uint<1>(c_far_above & ~c_zero));
  const d_t wanted = d_t(w::high) - d;
  const ap_uint<w::d_bits - 1> amount = c_dominates ? d_t(0) : wanted;
  const window<w::c_width - 1> c_aligned = shift_into_window<w::c_width - 1>(c.significand, amount);

  // --- add: c - x has a carry chain of its own, so that no difference needs a second one to change its sign. The jam
  // bit stays below: x - (c + jam) is x + ~c + !jam ---
  using chain_t = ap_uint<w::width>;  // without the jam bit, but with a sign
  const ap_uint<1> subtract = x.negative ^ c.negative;
  const chain_t x_row = chain_t(x.significand) << w::low;
  const chain_t c_row = chain_t(c_aligned.kept);
  const chain_t c_signed = subtract ? chain_t(~c_row) : c_row;
  const chain_t first = add_with_carry<w::width>(x_row, c_signed, subtract & ~c_aligned.jam);
  const ap_uint<w::width - 1> c_minus_x = c_row - x_row;
  const ap_uint<1> c_larger = first[w::width - 1];  // never set unless subtracting

  typename w::sum_t sum;
  sum.offset = c_dominates ? typename w::sum_t::offset_t(c.offset + (C::lsb - w::high - w::anchor_min))
                           : typename w::sum_t::offset_t(x.offset + (X::lsb - w::anchor_min));
  const ap_uint<w::width> magnitude = c_larger ? c_minus_x : ap_uint<w::width - 1>(first);
  sum.significand = (magnitude << 1) | ap_uint<w::width>(c_aligned.jam);
  sum.negative = sum.significand == 0 ? sign_of_zero_sum<RULE>(x.negative, c.negative)
                                      : ap_uint<1>(c_larger ? c.negative : x.negative);
  return sum;
}

}  // namespace hwgen
