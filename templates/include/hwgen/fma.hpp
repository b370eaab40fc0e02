// Fused multiply-add: the exact product and an addend, one rounding. All four formats are free.
#pragma once

#include "hwgen/add.hpp"
#include "hwgen/mul.hpp"

namespace hwgen {

template <class A, class B, class C, class Y, class RULE, bool INTEGER>
struct fused_multiplier_adder {
  static HWGEN_INLINE ap_uint<Y::width> run(ap_uint<A::width> a, ap_uint<B::width> b, ap_uint<C::width> c,
                                            typename RULE::random_t random) {
    return round_to<Y, RULE>(sum<Y, RULE>(multiply(unpack_operand<A>(a), unpack_operand<B>(b)), unpack_operand<C>(c)),
                             random);
  }
};
template <class A, class B, class C, class Y, class RULE>
struct fused_multiplier_adder<A, B, C, Y, RULE, true> {
  static HWGEN_INLINE ap_uint<Y::width> run(ap_uint<A::width> a, ap_uint<B::width> b, ap_uint<C::width> c,
                                            typename RULE::random_t random) {
    return round_integer<Y, RULE>(integer_sum(integer_product(integer_of<A>(a), integer_of<B>(b)), integer_of<C>(c)),
                                  random);
  }
};

// y = round(a * b + c), one rounding.
template <class A, class B, class C, class Y, class RULE>
HWGEN_INLINE ap_uint<Y::width> fma(ap_uint<A::width> a, ap_uint<B::width> b, ap_uint<C::width> c,
                                   typename RULE::random_t random = typename RULE::random_t()) {
  return fused_multiplier_adder < A, B, C, Y, RULE, all_fixed<A, B, C>::value && Y::fixed_grid > ::run(a, b, c, random);
}

}  // namespace hwgen
