// The exact sum of two or three terms without a window of every bit that they can have.
//
// The terms are put in the order of their exponents, t1 >= t2 >= t3, and added as (t1 + t2) + t3 in a window that hangs
// from t1. A short one is exact for one rounding, because
//   - where t1 and t2 cancel, their exponents are near each other and what is left of them is at least their last
//     place: t3 matters only as far below that as rounding looks, and may be jammed there;
//   - where t1 and t2 cancel completely, t3 is the sum, and takes the place of t1;
//   - where t2 lies below every bit of t1 and of its rounding, so does t3: both say only on which side of t1 the sum
//     lies. They are moved up together to just below that, so what they are to each other stays as it is.
#pragma once

#include "hwgen/carry.hpp"
#include "hwgen/dot_trim.hpp"
#include "hwgen/rounding.hpp"
#include "hwgen/shift.hpp"
#include "hwgen/unpack.hpp"

namespace hwgen {

// How far below the top of X's significand, as the largest of the terms, the others matter. DOWN is how far below its
// top the leading one of X may be, TOP the weight of its top for the highest exponent of that case.
template <class Y, class RULE, int W, int DOWN, int TOP>
struct sight_below {
  // The last place that rounding looks at, however small the sum.
  static constexpr int floor = (Y::subnormals ? Y::lsb : Y::lsb - 1) - RULE::extra;
  static constexpr int to_floor = larger(TOP - floor, 0);
  // The last place that rounding looks at beside a term that nothing cancels, one place lost to a borrow.
  static constexpr int rounding = smaller(DOWN + Y::precision + RULE::extra, to_floor);
  // The same after a cancellation that leaves a last place of two terms, DOWN + 1 places apart or less.
  static constexpr int cancelled = smaller(W + 1 + DOWN + larger(Y::precision + RULE::extra, W + 1), to_floor);
};
// Over all exponents: the least one is a case of its own, in which a floating-point operand may be subnormal.
template <class Y, class RULE, int W, class X>
struct sight {
  static constexpr int top = X::lsb + X::precision;
  using least = sight_below<Y, RULE, W, X::precision - X::lead, top + X::offset_min>;
  using others = sight_below<Y, RULE, W, X::precision - X::lead_off, top + X::offset_max>;
  static constexpr bool varies = X::offset_max > X::offset_min;
  static constexpr int rounding = varies ? larger(least::rounding, others::rounding) : least::rounding;
  static constexpr int cancelled = varies ? larger(least::cancelled, others::cancelled) : least::cancelled;
};

// P is the form of products, C that of the third term. Exponents are those of the place above the top: a term is below
// 2^exponent.
template <class Y, class RULE, class P, class C>
struct ordered_widths {
  static constexpr int p_top = P::lsb + P::precision;
  static constexpr int c_top = C::lsb + C::precision;
  static constexpr int lowest = smaller(p_top + P::offset_min, c_top + C::offset_min);
  static constexpr int highest = larger(p_top + P::offset_max, c_top + C::offset_max);
  static constexpr int span = highest - lowest;
  static constexpr int significand = larger(P::precision, C::precision);
  using p_sight = sight<Y, RULE, significand, P>;
  using c_sight = sight<Y, RULE, significand, C>;
  static constexpr int rounding = larger(p_sight::rounding, c_sight::rounding);
  static constexpr int cancelled = larger(p_sight::cancelled, c_sight::cancelled);
  // t2 is moved by at most `far` places, and then kept to its last bit; t3 to `rows` places below the top of t1.
  static constexpr int far = smaller(larger(significand, rounding) + 1, span);
  static constexpr int rows = smaller(larger(far + significand, cancelled), span + significand);
  static constexpr int width = rows + 3;                          // two carries and a sign
  using sum_t = signed_term<width + 1, span, lowest - rows - 1>;  // and the jam bit
};

// A term with its exponent counted from the lowest of all terms; its significand begins at the top.
template <class W>
struct ordered_term {
  ap_uint<1> negative;
  ap_uint<bits_for(W::span)> exponent;
  ap_uint<W::significand> significand;
};
template <class W, class X>
HWGEN_INLINE ordered_term<W> to_be_ordered(X x) {
  using exponent_t = ap_uint<bits_for(W::span)>;
  constexpr int base = X::lsb + X::precision - W::lowest;
  ordered_term<W> t;
  t.negative = x.negative;
  t.exponent = is_zero(x) ? exponent_t(0) : exponent_t(x.offset + base);  // a zero is last
  t.significand = ap_uint<W::significand>(x.significand) << (W::significand - X::precision);
  return t;
}
template <class W>
HWGEN_INLINE ordered_term<W> chosen(ap_uint<1> left, ordered_term<W> a, ordered_term<W> b) {
  ordered_term<W> t;
  t.negative = left ? a.negative : b.negative;
  t.exponent = left ? a.exponent : b.exponent;
  t.significand = left ? a.significand : b.significand;
  return t;
}

// x + y + z, to be rounded into Y under RULE.
template <class Y, class RULE, class P, class C>
HWGEN_INLINE typename ordered_widths<Y, RULE, P, C>::sum_t sum_in_order(P x, P y, C z) {
  using w = ordered_widths<Y, RULE, P, C>;
  using term_t = ordered_term<w>;

  // --- order ---
  const term_t a = to_be_ordered<w>(x);
  const term_t b = to_be_ordered<w>(y);
  const term_t c = to_be_ordered<w>(z);
  const ap_uint<1> b_above_a = b.exponent > a.exponent;
  const ap_uint<1> c_above_a = c.exponent > a.exponent;
  const ap_uint<1> c_above_b = c.exponent > b.exponent;
  const ap_uint<1> c_first = c_above_a & c_above_b;
  const ap_uint<1> c_last = ~c_above_a & ~c_above_b;
  const term_t upper = chosen<w>(b_above_a, b, a);
  const term_t lower = chosen<w>(b_above_a, a, b);
  const term_t t1 = chosen<w>(c_first, c, upper);
  const term_t t2 = chosen<w>(c_first, upper, chosen<w>(c_last, lower, c));
  const term_t t3 = chosen<w>(c_last, c, lower);

  // --- t1 + t2, as seen from the sign of t2: only the places of t1 need a chain ---
  using distance_t = ap_uint<bits_for(w::span)>;
  using wide_t = ap_uint<w::width>;
  constexpr int below = w::rows - w::significand;
  const distance_t distance = t1.exponent - t2.exponent;
  const ap_uint<bits_for(w::far)> near = distance > distance_t(w::far) ? distance_t(w::far) : distance;
  const ap_uint<w::rows> second = (ap_uint<w::rows>(t2.significand) << below) >> near;
  const ap_uint<w::rows> first = ap_uint<w::rows>(t1.significand) << below;
  const ap_uint<1> subtract = t1.negative ^ t2.negative;
  const ap_uint<1> nothing_left = subtract & ap_uint<1>(first == second);
  using chain_t = ap_uint<w::significand + 3>;
  const chain_t first_row = subtract ? chain_t(~chain_t(t1.significand)) : chain_t(t1.significand);
  const chain_t chain = add_with_carry<w::significand + 3>(chain_t(second >> below), first_row, subtract);
  const wide_t two = (wide_t(chain) << below) | wide_t(second & ((ap_uint<w::rows>(1) << below) - 1));

  // --- t3, below them or in their place ---
  using amount_t = ap_uint<bits_for(w::far + w::span)>;
  const amount_t further = amount_t(near) + amount_t(distance_t(t2.exponent - t3.exponent));
  const amount_t amount = nothing_left ? amount_t(0) : further;
  const window<w::rows> small = shift_into_window<w::rows>(t3.significand, amount);
  const ap_uint<1> take = t3.negative ^ t2.negative;
  const wide_t row = take ? wide_t(~wide_t(small.kept)) : wide_t(small.kept);
  const wide_t total = add_with_carry<w::width>(two, row, take & ~small.jam);

  typename w::sum_t sum;
  sum.base = t2.negative;
  sum.offset = nothing_left ? t3.exponent : t1.exponent;
  sum.value = (ap_uint<w::width + 1>(total) << 1) | ap_uint<w::width + 1>(small.jam);
  return sum;
}

}  // namespace hwgen
