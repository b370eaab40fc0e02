// Correctly rounded sum of two formats into a third.
#pragma once

#include "hwgen/fixed.hpp"
#include "hwgen/round.hpp"
#include "hwgen/sum.hpp"

namespace hwgen {

// Terms of one shape are swapped by magnitude, which needs the narrower datapath; others are aligned to the first.
template <class Y, class RULE, class A, class B>
struct summation {
  using type = typename sum_widths<Y, RULE, A, B>::sum_t;
  static HWGEN_INLINE type run(A a, B b) { return sum_terms<Y, RULE>(a, b); }
};
template <class Y, class RULE, class T>
struct summation<Y, RULE, T, T> {
  using type = typename twin_sum_widths<Y, RULE, T>::sum_t;
  static HWGEN_INLINE type run(T a, T b) { return sum_twins<Y, RULE>(a, b); }
};

// The sum with special values, to be rounded into Y under RULE.
template <class Y, class RULE, class A, class B>
HWGEN_INLINE unpacked<typename summation<Y, RULE, A, B>::type> sum(unpacked<A> a, unpacked<B> b) {
  return sum_with_specials(summation<Y, RULE, A, B>::run(a.value, b.value), a, b);
}

// EAGER: see eager.hpp, which such a rule needs.
template <class A, class B, class Y, class RULE, bool INTEGER, bool EAGER>
struct adder;
template <class A, class B, class Y, class RULE>
struct adder<A, B, Y, RULE, false, false> {
  static HWGEN_INLINE ap_uint<Y::width> run(ap_uint<A::width> a, ap_uint<B::width> b, typename RULE::random_t random) {
    return round_to<Y, RULE>(sum<Y, RULE>(unpack_operand<A>(a), unpack_operand<B>(b)), random);
  }
};
template <class A, class B, class Y, class RULE>
struct adder<A, B, Y, RULE, true, false> {
  static HWGEN_INLINE ap_uint<Y::width> run(ap_uint<A::width> a, ap_uint<B::width> b, typename RULE::random_t random) {
    return round_integer<Y, RULE>(integer_sum(integer_of<A>(a), integer_of<B>(b)), random);
  }
};

// y = round(a + b), one rounding.
template <class A, class B, class Y, class RULE>
HWGEN_INLINE ap_uint<Y::width> add(ap_uint<A::width> a, ap_uint<B::width> b,
                                   typename RULE::random_t random = typename RULE::random_t()) {
  return adder<A, B, Y, RULE, all_fixed<A, B, Y>::value, RULE::eager>::run(a, b, random);
}

}  // namespace hwgen
