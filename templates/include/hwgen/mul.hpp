// Correctly rounded product of two formats into a third.
#pragma once

#include "hwgen/fixed.hpp"
#include "hwgen/product.hpp"
#include "hwgen/round.hpp"

namespace hwgen {

// A product knows from its factors whether it is zero.
template <int P, int OFFSET_MAX, int LSB, int LEAD, int LEAD_OFF, int OFFSET_MIN>
struct product_form : term<P, OFFSET_MAX, LSB, LEAD, LEAD_OFF, OFFSET_MIN> {
  ap_uint<1> zero;
};
template <int P, int OFFSET_MAX, int LSB, int LEAD, int LEAD_OFF, int OFFSET_MIN>
HWGEN_INLINE ap_uint<1> is_zero(product_form<P, OFFSET_MAX, LSB, LEAD, LEAD_OFF, OFFSET_MIN> p) {
  return p.zero;
}

// The exact product of two terms: its significand is not normalised. Where its offset is not the least, at least one
// factor is off the bottom of its exponent range and therefore normal.
template <class A, class B>
struct product_of {
  static constexpr int lead_a_off = A::offset_max > A::offset_min ? A::lead_off + B::lead : A::precision + B::precision;
  static constexpr int lead_b_off = B::offset_max > B::offset_min ? A::lead + B::lead_off : A::precision + B::precision;
  static constexpr int lead = A::lead + B::lead;
  static constexpr int offset_min = A::offset_min + B::offset_min;
  static constexpr int lead_off =
      A::offset_max + B::offset_max > B::offset_min ? smaller(lead_a_off, lead_b_off) : lead;
  using type = product_form<A::precision + B::precision, A::offset_max + B::offset_max, A::lsb + B::lsb, lead, lead_off,
                            offset_min>;
};

template <class A, class B>
HWGEN_INLINE typename product_of<A, B>::type multiply_terms(A a, B b) {
  typename product_of<A, B>::type p;
  p.negative = a.negative ^ b.negative;
  p.zero = is_zero(a) | is_zero(b);
  p.offset = a.offset + b.offset;
  p.significand = significand_product(a.significand, b.significand);
  return p;
}

// The same with special values: 0 * Inf is invalid, and gives NaN.
template <class A, class B>
HWGEN_INLINE unpacked<typename product_of<A, B>::type> multiply(unpacked<A> a, unpacked<B> b) {
  const ap_uint<1> a_zero = is_zero(a.value);
  const ap_uint<1> b_zero = is_zero(b.value);
  unpacked<typename product_of<A, B>::type> p;
  p.value = multiply_terms(a.value, b.value);
  p.is_inf = a.is_inf | b.is_inf;
  p.is_nan = a.is_nan | b.is_nan | (a.is_inf & b_zero & ~b.is_inf) | (b.is_inf & a_zero & ~a.is_inf);
  return p;
}

// Leading zeros of a product, or one less, from its factors: this does not wait for the product.
template <class Y, class A, class B>
HWGEN_INLINE ap_uint<bits_for(A::precision + B::precision)> leading_zeros_of_product(A a, B b) {
  using product = typename product_of<A, B>::type;
  using count_t = ap_uint<bits_for(A::precision + B::precision)>;
  const ap_uint<1> a_normal = a.significand[A::precision - 1];
  // Where both factors are subnormal and the product thus below Y's normal numbers, the count has no say.
  if (A::precision == B::precision && round_widths<Y, rounding<mode::rtz, overflow::saturate>, product>::limit_min <= 0)
    return a_normal ? count_t(leading_zeros_of<B>(b.significand)) : count_t(leading_zeros_of<A>(a.significand));
  return count_t(leading_zeros_of<A>(a.significand)) + count_t(leading_zeros_of<B>(b.significand));
}

template <class FAMILY>
struct product_rounder {
  template <class Y, class RULE, class A, class B>
  static HWGEN_INLINE ap_uint<Y::width> run(unpacked<A> a, unpacked<B> b, typename RULE::random_t random) {
    return round_to<Y, RULE>(multiply(a, b), random);
  }
};
template <>
struct product_rounder<float_tag> {
  template <class Y, class RULE, class A, class B>
  static HWGEN_INLINE ap_uint<Y::width> run(unpacked<A> a, unpacked<B> b, typename RULE::random_t random) {
    // The zeros of a short product are counted as fast as its factors'.
    if (A::precision + B::precision <= 6) return round_to<Y, RULE>(multiply(a, b), random);
    return round_counted<Y, RULE, false>(multiply(a, b), leading_zeros_of_product<Y>(a.value, b.value), random);
  }
};

template <class A, class B, class Y, class RULE, bool INTEGER>
struct multiplier {
  static HWGEN_INLINE ap_uint<Y::width> run(ap_uint<A::width> a, ap_uint<B::width> b, typename RULE::random_t random) {
    return product_rounder<typename Y::family>::template run<Y, RULE>(unpack_operand<A>(a), unpack_operand<B>(b),
                                                                      random);
  }
};
template <class A, class B, class Y, class RULE>
struct multiplier<A, B, Y, RULE, true> {
  static HWGEN_INLINE ap_uint<Y::width> run(ap_uint<A::width> a, ap_uint<B::width> b, typename RULE::random_t random) {
    return round_integer<Y, RULE>(integer_product(integer_of<A>(a), integer_of<B>(b)), random);
  }
};

// y = round(a * b), one rounding.
template <class A, class B, class Y, class RULE>
HWGEN_INLINE ap_uint<Y::width> mul(ap_uint<A::width> a, ap_uint<B::width> b,
                                   typename RULE::random_t random = typename RULE::random_t()) {
  return multiplier<A, B, Y, RULE, all_fixed<A, B, Y>::value>::run(a, b, random);
}

}  // namespace hwgen
