// Fused multiply-add: the exact product and an addend, one rounding. All four formats are free.
#pragma once

#include "hwgen/add.hpp"
#include "hwgen/anchored.hpp"
#include "hwgen/mul.hpp"

namespace hwgen {

// The exact product plus an addend, to be rounded into Y under RULE.
template <class A, class B, class C, class Y, class RULE, bool ANCHORED>
struct product_sum : anchored_product_sum<A, B, C, Y, RULE> {};
template <class A, class B, class C, class Y, class RULE>
struct product_sum<A, B, C, Y, RULE, false> {
  static HWGEN_INLINE auto of(ap_uint<A::width> a, ap_uint<B::width> b, ap_uint<C::width> c) {
    return sum<Y, RULE>(multiply(unpack_operand<A>(a), unpack_operand<B>(b)), unpack_operand<C>(c));
  }
};

// EAGER: see eager.hpp, which such a rule needs.
template <class A, class B, class C, class Y, class RULE, bool INTEGER, bool EAGER>
struct fused_multiplier_adder;
template <class A, class B, class C, class Y, class RULE>
struct fused_multiplier_adder<A, B, C, Y, RULE, false, false> {
  static constexpr bool anchored = is_float(typename A::family()) && is_float(typename B::family()) &&
                                   is_float(typename C::family()) && is_float(typename Y::family()) &&
                                   anchors_product(A::precision + B::precision, C::precision);
  static HWGEN_INLINE ap_uint<Y::width> run(ap_uint<A::width> a, ap_uint<B::width> b, ap_uint<C::width> c,
                                            typename RULE::random_t random) {
    return round_to<Y, RULE>(product_sum<A, B, C, Y, RULE, anchored>::of(a, b, c), random);
  }
};
template <class A, class B, class C, class Y, class RULE>
struct fused_multiplier_adder<A, B, C, Y, RULE, true, false> {
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
  constexpr bool integer = all_fixed<A, B, C>::value && Y::fixed_grid;
  return fused_multiplier_adder<A, B, C, Y, RULE, integer, RULE::eager>::run(a, b, c, random);
}

}  // namespace hwgen
