// Multiply-accumulate: the addend and the result share the accumulator's format.
#pragma once

#include "hwgen/fma.hpp"

namespace hwgen {

// Fused: acc' = round(a * b + acc), one rounding.
template <class A, class B, class ACC, class RULE>
HWGEN_INLINE ap_uint<ACC::width> mac(ap_uint<A::width> a, ap_uint<B::width> b, ap_uint<ACC::width> acc,
                                     typename RULE::random_t random = typename RULE::random_t()) {
  return fma<A, B, ACC, ACC, RULE>(a, b, acc, random);
}

// Split: the product is first rounded into format P, under a deterministic rule of its own.
template <class A, class B, class P, class ACC, class PRODUCT_RULE, class RULE>
HWGEN_INLINE ap_uint<ACC::width> mac_split(ap_uint<A::width> a, ap_uint<B::width> b, ap_uint<ACC::width> acc,
                                           typename RULE::random_t random = typename RULE::random_t()) {
  const ap_uint<P::width> product = mul<A, B, P, PRODUCT_RULE>(a, b);
  return add<P, ACC, ACC, RULE>(product, acc, random);
}

}  // namespace hwgen
