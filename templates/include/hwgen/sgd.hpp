// Steps of the weight update of stochastic gradient descent: t = wd * w + g, m' = mu * m + t, w' = w - lr * m'.
// Each is one fused multiply-add, rounded once; which steps there are, and in which formats, is the caller's.
#pragma once

#include "hwgen/add.hpp"
#include "hwgen/mul.hpp"

namespace hwgen {

// The difference to a sum is the sign of the product, even of a product that is zero.
template <class C, class A, class B, class Y, class RULE, bool SUBTRACT>
HWGEN_INLINE ap_uint<Y::width> update_step(ap_uint<C::width> c, ap_uint<A::width> a, ap_uint<B::width> b,
                                           typename RULE::random_t random) {
  unpacked<typename product_of<term_of<C>, term_of<A>>::type> change = multiply(unpack<C>(c), unpack<A>(a));
  change.value.negative ^= ap_uint<1>(SUBTRACT);
  return round_to<Y, RULE>(sum<Y, RULE>(change, unpack<B>(b)), random);
}

// y = round(b + c * a).
template <class C, class A, class B, class Y, class RULE>
HWGEN_INLINE ap_uint<Y::width> plus_product(ap_uint<C::width> c, ap_uint<A::width> a, ap_uint<B::width> b,
                                            typename RULE::random_t random = typename RULE::random_t()) {
  return update_step<C, A, B, Y, RULE, false>(c, a, b, random);
}

// y = round(b - c * a).
template <class C, class A, class B, class Y, class RULE>
HWGEN_INLINE ap_uint<Y::width> minus_product(ap_uint<C::width> c, ap_uint<A::width> a, ap_uint<B::width> b,
                                             typename RULE::random_t random = typename RULE::random_t()) {
  return update_step<C, A, B, Y, RULE, true>(c, a, b, random);
}

}  // namespace hwgen
