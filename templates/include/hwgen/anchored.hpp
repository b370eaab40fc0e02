// The sum of two floating-point terms on the scale of the one with the larger exponent.
//
// The other term is shifted to it, so the leading one of a sum that rounding has to look at lies in one of a few
// places, which are known before the sum is. `sum_terms` (sum.hpp) keeps one operand in place instead: that spares the
// exchange, but the leading one can then be anywhere.
#pragma once

#include "hwgen/lzc.hpp"
#include "hwgen/product.hpp"
#include "hwgen/sum.hpp"

namespace hwgen {

// The finite value (-1)^negative * significand * 2^(exponent + BASE - P + 1), LOW <= exponent <= HIGH: the top place of
// the significand weighs 2^(exponent + BASE). The leading one is in that place or at most SLACK places below it; but
// where exponent = LOW it may be anywhere if BASE + LOW is not above the weight of the result's smallest normal number.
// ZERO is the largest exponent of an operand that is zero.
template <int P, int LOW, int HIGH, int BASE, int SLACK, int ZERO = LOW>
struct topped {
  static constexpr int precision = P;
  static constexpr int low = LOW;
  static constexpr int high = HIGH;
  static constexpr int base = BASE;
  static constexpr int slack = SLACK;
  static constexpr int zero_exponent = ZERO;
  using exponent_t = ap_int<1 + bits_for(larger(HIGH, -LOW))>;

  ap_uint<1> negative;
  ap_uint<1> zero;
  exponent_t exponent;
  ap_uint<P> significand;
};

// An operand as such a term; with NORMALISE the leading one of subnormals is brought to the top.
template <class F, bool NORMALISE>
struct topped_operand {
  static constexpr int p = F::precision;
  static constexpr bool counts = NORMALISE && F::subnormals && p > 1;
  using type = topped<p, counts ? 2 - p : 1, F::exponent_field_max, F::lsb + p - 2, 0>;

  static HWGEN_INLINE unpacked<type> unpack_as(ap_uint<F::width> x) {
    const unpacked<term_of<F>> u = unpack<F>(x);
    const ap_uint<F::exponent_width> field = x.range(F::width - 2, F::mantissa_width);
    ap_uint<bits_for(p)> zeros = 0;
    if (counts) zeros = leading_zeros<p>(u.value.significand | ap_uint<p>(1));
    unpacked<type> v;
    v.is_nan = u.is_nan;
    v.is_inf = u.is_inf;
    v.value.negative = u.value.negative;
    v.value.zero = u.value.significand == 0;
    v.value.exponent =
        field != 0 ? typename type::exponent_t(field) : typename type::exponent_t(1 - typename type::exponent_t(zeros));
    v.value.significand = u.value.significand << zeros;
    return v;
  }
};

// The product of two normalised operands: its leading one is in the top place or the next.
template <class A, class B>
using topped_product =
    topped<A::precision + B::precision, A::low + B::low, A::high + B::high, A::base + B::base + 1, 1>;

template <class A, class B>
HWGEN_INLINE unpacked<topped_product<A, B>> multiply_topped(unpacked<A> a, unpacked<B> b) {
  using product_t = topped_product<A, B>;
  unpacked<product_t> p;
  p.value.negative = a.value.negative ^ b.value.negative;
  p.value.zero = a.value.zero | b.value.zero;
  p.value.exponent = typename product_t::exponent_t(a.value.exponent) + b.value.exponent;
  p.value.significand = significand_product(a.value.significand, b.value.significand);
  p.is_inf = a.is_inf | b.is_inf;
  p.is_nan = a.is_nan | b.is_nan | (a.is_inf & b.value.zero & ~b.is_inf) | (b.is_inf & a.value.zero & ~a.is_inf);
  return p;
}

// Places are counted from the anchor, the top place of the term with the larger exponent, which is 0; below it they are
// negative. x may be a product, c is an operand.
template <class Y, class RULE, class X, class C>
struct anchored_widths {
  static_assert(C::slack == 0, "only one of the terms can be a product");
  static constexpr int y_top = Y::lsb + Y::precision - 1;  // weight of Y's smallest normal number

  // Leading ones less than two places apart: both terms end at -near_depth or above, and cancellation is exact down
  // to there. Further apart: the leading one of the sum is at -slack - 1 or above, and rounding looks at the last place
  // below it and `extra` bits more.
  static constexpr int near_depth = larger(X::precision, C::precision + X::slack);
  static constexpr int depth = larger(near_depth, X::slack + Y::precision + RULE::extra);
  static constexpr int width = depth + 2;  // and a carry; the jam bit of the sum lies below
  // The lowest leading one of a sum with bits below its last place, as left shifts that bring it to the top.
  static constexpr int max_inexact_left = larger(X::slack + 2, near_depth - Y::precision + 1);

  // Smaller sums have their leading one lower than that, but then their last place is where Y's subnormals have it; if
  // Y has none, they are zero.

  // A zero must not be the anchor, unless its place is no higher than that of Y's smallest normal number.
  static constexpr int x_min = X::low + X::base;
  static constexpr int c_min = C::low + C::base;
  static constexpr int x_zero = X::zero_exponent + X::base;
  static constexpr int c_zero = C::zero_exponent + C::base;
  static constexpr bool x_zero_matters = X::slack > 0 || (x_zero > y_top && x_zero > c_min);
  static constexpr bool c_zero_matters = (c_zero > y_top) && (c_zero > x_min);
  static constexpr int anchor_both = larger(x_min, c_min);
  static constexpr int anchor_no_x = x_zero_matters ? smaller(anchor_both, c_min) : anchor_both;
  static constexpr int anchor_min = c_zero_matters ? smaller(anchor_no_x, x_min) : anchor_no_x;
  static constexpr int anchor_max = larger(X::high + X::base, C::high + C::base);

  static constexpr int d_offset = C::base - X::base;
  static constexpr int d_max = larger(C::high - X::low + d_offset, X::high - C::low - d_offset);
  static constexpr int d_bits = 1 + bits_for(larger(d_max, 1) + 1);

  // Offsets of the sum count from Y's smallest normal number, where that lies below every anchor.
  static constexpr int sum_base = smaller(y_top, anchor_min + 1);
  using sum_t = term<width + 1, anchor_max + 1 - sum_base, sum_base - width, width - 1 - near_depth,
                     width - 1 - near_depth, anchor_min + 1 - sum_base>;
};

// The last bit of the sum is a jam bit, as in sum.hpp.
template <class Y, class RULE, class X, class C>
HWGEN_INLINE typename anchored_widths<Y, RULE, X, C>::sum_t sum_anchored(X x, C c) {
  using w = anchored_widths<Y, RULE, X, C>;
  using d_t = ap_int<w::d_bits>;
  using chain_t = ap_uint<w::width>;
  using offset_t = typename w::sum_t::offset_t;

  // --- exchange and align: x starts at the anchor and shifts by d, c starts one place below and shifts by -d - 1 ---
  const d_t d = d_t(c.exponent) - d_t(x.exponent) + d_t(w::d_offset);
  const ap_uint<1> c_above = (d >= 0) & (w::c_zero_matters ? ap_uint<1>(~c.zero) : ap_uint<1>(1));
  const ap_uint<1> c_first = c_above | (w::x_zero_matters ? x.zero : ap_uint<1>(0));
  constexpr int small_bits = larger(X::precision, C::precision + 1);
  const ap_uint<small_bits> small =
      c_first ? ap_uint<small_bits>(ap_uint<small_bits>(x.significand) << (small_bits - X::precision))
              : ap_uint<small_bits>(ap_uint<small_bits>(c.significand) << (small_bits - 1 - C::precision));
  const ap_uint<w::d_bits - 1> amount = d < 0 ? d_t(~d) : d;
  const window<w::depth + 1> aligned = shift_into_window<w::depth + 1>(small, amount);

  // --- add: as in sum.hpp, with a carry chain for each sign of the difference ---
  const ap_uint<1> subtract = x.negative ^ c.negative;
  const chain_t big_row = c_first ? chain_t(chain_t(c.significand) << (w::depth + 1 - C::precision))
                                  : chain_t(chain_t(x.significand) << (w::depth + 1 - X::precision));
  const chain_t small_row = chain_t(aligned.kept);
  const chain_t first =
      add_with_carry<w::width>(big_row, subtract ? chain_t(~small_row) : small_row, subtract & ~aligned.jam);
  const chain_t reversed = small_row - big_row;
  const ap_uint<1> small_larger = subtract & first[w::width - 1];

  typename w::sum_t sum;
  sum.offset =
      c_first ? offset_t(c.exponent + (C::base + 1 - w::sum_base)) : offset_t(x.exponent + (X::base + 1 - w::sum_base));
  const chain_t magnitude = small_larger ? reversed : first;
  sum.significand = (ap_uint<w::width + 1>(magnitude) << 1) | ap_uint<w::width + 1>(aligned.jam);
  sum.negative = sum.significand == 0 ? sign_of_zero_sum<RULE>(x.negative, c.negative)
                                      : ap_uint<1>((c_first ? c.negative : x.negative) ^ small_larger);
  return sum;
}

// Whether a product of so many bits is added to an addend of so many bits on the scale of the larger of them: what the
// normalisation of the factors costs before a multiplier, short ones and long addends win back behind it.
constexpr bool anchors_product(int product_bits, int addend_bits) {
  return product_bits <= 8 || product_bits <= addend_bits;
}

// Operand F of a sum into Y: its subnormals may stay as they are if Y has no smaller normal numbers than F.
template <class F, class Y>
using summand = topped_operand<F, (F::lsb + F::precision > Y::lsb + Y::precision)>;

// The sum of operands A and B, to be rounded into Y under RULE.
template <class A, class B, class Y, class RULE>
struct anchored_sum {
  using a_t = summand<A, Y>;
  using b_t = summand<B, Y>;
  using widths = anchored_widths<Y, RULE, typename a_t::type, typename b_t::type>;
  static HWGEN_INLINE unpacked<typename widths::sum_t> of(ap_uint<A::width> a, ap_uint<B::width> b) {
    const unpacked<typename a_t::type> x = a_t::unpack_as(a);
    const unpacked<typename b_t::type> y = b_t::unpack_as(b);
    return sum_with_specials(sum_anchored<Y, RULE>(x.value, y.value), x, y);
  }
};

// The same for a * b + c.
template <class A, class B, class C, class Y, class RULE>
struct anchored_product_sum {
  using a_t = topped_operand<A, true>;
  using b_t = topped_operand<B, true>;
  using c_t = summand<C, Y>;
  using product_t = topped_product<typename a_t::type, typename b_t::type>;
  using widths = anchored_widths<Y, RULE, product_t, typename c_t::type>;
  static HWGEN_INLINE unpacked<typename widths::sum_t> of(ap_uint<A::width> a, ap_uint<B::width> b,
                                                          ap_uint<C::width> c) {
    const unpacked<product_t> x = multiply_topped(a_t::unpack_as(a), b_t::unpack_as(b));
    const unpacked<typename c_t::type> y = c_t::unpack_as(c);
    return sum_with_specials(sum_anchored<Y, RULE>(x.value, y.value), x, y);
  }
};

}  // namespace hwgen
