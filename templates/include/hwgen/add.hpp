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

// EAGER: see eager.hpp, which such a rule needs. GOAL matters for operands of one floating-point format.
template <class A, class B, class Y, class RULE, bool INTEGER, bool EAGER, goal GOAL = goal::depth>
struct adder;
template <class A, class B, class Y, class RULE, goal GOAL>
struct adder<A, B, Y, RULE, false, false, GOAL> {
  static HWGEN_INLINE ap_uint<Y::width> run(ap_uint<A::width> a, ap_uint<B::width> b, typename RULE::random_t random) {
    return round_to<Y, RULE>(sum<Y, RULE>(unpack_operand<A>(a), unpack_operand<B>(b)), random);
  }
};
// Operands of one format. Patterns of floats are compared as they are, which does not wait for subnormals to be told
// apart, and the larger one has all to say about infinities.
template <class F, class FAMILY>
struct twins {
  template <class Y, class RULE, goal GOAL>
  static HWGEN_INLINE auto sum_of(ap_uint<F::width> a, ap_uint<F::width> b) {
    return sum<Y, RULE>(unpack_operand<F>(a), unpack_operand<F>(b));
  }
};
template <class F>
struct twins<F, float_tag> {
  template <class Y, class RULE, goal GOAL>
  static HWGEN_INLINE auto sum_of(ap_uint<F::width> a, ap_uint<F::width> b) {
    using term_t = typename operand_form<F, float_tag>::type;
    const ap_uint<1> swapped = typename F::magnitude_t(b) > typename F::magnitude_t(a);
    const unpacked<term_t> x = unpack_operand<F>(a);
    const unpacked<term_t> y = unpack_operand<F>(b);
    const term_t big = swapped ? y.value : x.value;
    const term_t small = swapped ? x.value : y.value;
    unpacked<typename twin_sum_widths<Y, RULE, term_t>::sum_t> s;
    s.value = sum_of_ordered<Y, RULE, GOAL>(big, small);
    s.is_inf = 0;
    s.is_nan = x.is_nan | y.is_nan;
    if (F::has_inf) {
      // Beside an infinity, nothing but another one can have the same exponent and be no larger.
      const ap_uint<F::precision> fraction = big.significand & ((ap_uint<F::precision>(1) << F::mantissa_width) - 1);
      const ap_uint<1> top_exponent = big.offset == typename term_t::offset_t((1 << F::exponent_width) - 1);
      const typename term_t::offset_t distance = big.offset - small.offset;
      s.is_inf = top_exponent & ap_uint<1>(fraction == 0);
      s.is_nan = top_exponent &
                 (ap_uint<1>(fraction != 0) | (ap_uint<1>((a ^ b) >> (F::width - 1)) & ap_uint<1>(distance == 0)));
    }
    return s;
  }
};
template <class F, class Y, class RULE>
struct adder<F, F, Y, RULE, false, false, goal::depth> {
  static HWGEN_INLINE ap_uint<Y::width> run(ap_uint<F::width> a, ap_uint<F::width> b, typename RULE::random_t random) {
    return round_to<Y, RULE>(twins<F, typename F::family>::template sum_of<Y, RULE, goal::depth>(a, b), random);
  }
};
// For area, long words are ordered as they stand, and unpacked then: fewer bits are exchanged, but unpacking waits.
template <class F, class Y, class RULE>
struct adder<F, F, Y, RULE, false, false, goal::area> {
  using term_t = typename operand_form<F, typename F::family>::type;
  using sum_t = typename twin_sum_widths<Y, RULE, term_t>::sum_t;
  static HWGEN_INLINE ap_uint<Y::width> run(ap_uint<F::width> a, ap_uint<F::width> b, typename RULE::random_t random) {
    if (F::width <= 16)
      return round_to<Y, RULE>(twins<F, typename F::family>::template sum_of<Y, RULE, goal::area>(a, b), random);
    const ap_uint<1> swapped = typename F::magnitude_t(b) > typename F::magnitude_t(a);
    const unpacked<term_t> big = unpack_operand<F>(swapped ? b : a);
    const unpacked<term_t> small = unpack_operand<F>(swapped ? a : b);
    const ap_uint<1> subtract = big.value.negative ^ small.value.negative;
    // A NaN is the larger word, save where it is spelt as the negative zero.
    const ap_uint<1> small_is_nan = F::encoding == specials::fnuz ? small.is_nan : ap_uint<1>(0);
    unpacked<sum_t> s;
    s.value = sum_of_ordered<Y, RULE, goal::area>(big.value, small.value);
    s.is_inf = big.is_inf;
    s.is_nan = big.is_nan | small_is_nan | (big.is_inf & small.is_inf & subtract);
    if (s.is_inf) s.value.negative = big.value.negative;
    return round_to<Y, RULE>(s, random);
  }
};
template <class A, class B, class Y, class RULE, goal GOAL>
struct adder<A, B, Y, RULE, true, false, GOAL> {
  static HWGEN_INLINE ap_uint<Y::width> run(ap_uint<A::width> a, ap_uint<B::width> b, typename RULE::random_t random) {
    return round_integer<Y, RULE>(integer_sum(integer_of<A>(a), integer_of<B>(b)), random);
  }
};

// y = round(a + b), one rounding.
template <class A, class B, class Y, class RULE, goal GOAL = goal::depth>
HWGEN_INLINE ap_uint<Y::width> add(ap_uint<A::width> a, ap_uint<B::width> b,
                                   typename RULE::random_t random = typename RULE::random_t()) {
  return adder<A, B, Y, RULE, all_fixed<A, B, Y>::value, RULE::eager, GOAL>::run(a, b, random);
}

}  // namespace hwgen
