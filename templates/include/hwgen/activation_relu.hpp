// Activations that are exact up to one rounding: relu, leaky relu, and their gradients by a stored mask.
#pragma once

#include "hwgen/convert.hpp"
#include "hwgen/mul.hpp"

namespace hwgen {

// x > 0: what relu stores for the backward pass. NaN is not positive.
template <class X>
HWGEN_INLINE ap_uint<1> is_positive(ap_uint<X::width> x) {
  const auto u = unpack<X>(x);
  return (u.value.significand != 0 || u.is_inf) && !u.value.negative && !u.is_nan;
}

// x or, where it is not let pass, +0; rounded once.
template <class X, class Y, class RULE>
HWGEN_INLINE ap_uint<Y::width> gate(ap_uint<X::width> x, ap_uint<1> pass,
                                    typename RULE::random_t random = typename RULE::random_t()) {
  return convert<X, Y, RULE>(pass ? x : ap_uint<X::width>(0), random);
}

// x or, where it is not let pass, slope * x; rounded once. S is a format that holds the slope and 1, whose codes are
// given: choosing the factor takes one multiplier by few bits, and one rounding.
template <class X, class S, class Y, class RULE>
HWGEN_INLINE ap_uint<Y::width> leaky_gate(ap_uint<X::width> x, ap_uint<1> pass, ap_uint<S::width> slope,
                                          ap_uint<S::width> one,
                                          typename RULE::random_t random = typename RULE::random_t()) {
  return mul<X, S, Y, RULE>(x, pass ? one : slope, random);
}

// NaN operands of relu pass, so that they are not lost.
template <class X>
HWGEN_INLINE ap_uint<1> relu_passes(ap_uint<X::width> x) {
  return is_positive<X>(x) | unpack<X>(x).is_nan;
}

}  // namespace hwgen
