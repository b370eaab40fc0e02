// Correctly rounded product of two formats into a third.
#pragma once

#include "hwgen/fixed.hpp"
#include "hwgen/round.hpp"

namespace hwgen {

// The exact product of two terms: its significand is not normalised. Where its offset is not 0, at least one factor is
// off the bottom of its exponent range and therefore normal.
template <class A, class B>
struct product_of {
  static constexpr int lead_a_off = A::offset_max > 0 ? A::lead_off + B::lead : A::precision + B::precision;
  static constexpr int lead_b_off = B::offset_max > 0 ? A::lead + B::lead_off : A::precision + B::precision;
  static constexpr int lead = A::lead + B::lead;
  static constexpr int lead_off = A::offset_max + B::offset_max > 0 ? smaller(lead_a_off, lead_b_off) : lead;
  using type = term<A::precision + B::precision, A::offset_max + B::offset_max, A::lsb + B::lsb, lead, lead_off>;
};

template <class A, class B>
HWGEN_INLINE typename product_of<A, B>::type multiply_terms(A a, B b) {
  typename product_of<A, B>::type p;
  p.negative = a.negative ^ b.negative;
  p.offset = a.offset + b.offset;
  p.significand = a.significand * b.significand;
  return p;
}

// The same with special values: 0 * Inf is invalid, and gives NaN.
template <class A, class B>
HWGEN_INLINE unpacked<typename product_of<A, B>::type> multiply(unpacked<A> a, unpacked<B> b) {
  const ap_uint<1> a_zero = a.value.significand == 0;
  const ap_uint<1> b_zero = b.value.significand == 0;
  unpacked<typename product_of<A, B>::type> p;
  p.value = multiply_terms(a.value, b.value);
  p.is_inf = a.is_inf | b.is_inf;
  p.is_nan = a.is_nan | b.is_nan | (a.is_inf & b_zero & ~b.is_inf) | (b.is_inf & a_zero & ~a.is_inf);
  return p;
}

template <class A, class B, class Y, class RULE, bool INTEGER>
struct multiplier {
  static HWGEN_INLINE ap_uint<Y::width> run(ap_uint<A::width> a, ap_uint<B::width> b, typename RULE::random_t random) {
    return round_to<Y, RULE>(multiply(unpack<A>(a), unpack<B>(b)), random);
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
