// Dot products that round after every addition: a tree over rounded products, or one sum from left to right.
//
// They are built of the other operators, so each step is what `mul`, `add` or `fma` of the same formats gives. Under
// stochastic rounding each step has a word of its own, in the order given at each function.
#pragma once

#include "hwgen/convert.hpp"
#include "hwgen/dot_lanes.hpp"
#include "hwgen/dot_operand.hpp"
#include "hwgen/fma.hpp"

namespace hwgen {

// A word for each of COUNT roundings, packed, word 0 lowest; or none.
template <class RANDOM, int COUNT>
struct random_words {
  using type = no_random;
  template <int I>
  static HWGEN_INLINE no_random word(no_random) {
    return no_random();
  }
};
template <int R, int COUNT>
struct random_words<ap_uint<R>, COUNT> {
  using type = ap_uint<R * COUNT>;
  template <int I>
  static HWGEN_INLINE ap_uint<R> word(ap_uint<R * COUNT> words) {
    return words >> (I * R);
  }
};

// --- one product, rounded alone or with what is added to it ---

template <class A, class B, int I, bool SCALED>
struct scaled_product {
  using element_a = typename A::element;
  using element_b = typename B::element;

  template <class Y, class RULE>
  static HWGEN_INLINE ap_uint<Y::width> rounded(ap_uint<A::width> a, ap_uint<B::width> b,
                                                typename RULE::random_t random) {
    return mul<element_a, element_b, Y, RULE>(element_of<A, I>(a), element_of<B, I>(b), random);
  }
  template <class C, class Y, class RULE>
  static HWGEN_INLINE ap_uint<Y::width> added(ap_uint<A::width> a, ap_uint<B::width> b, ap_uint<C::width> c,
                                              typename RULE::random_t random) {
    return fma<element_a, element_b, C, Y, RULE>(element_of<A, I>(a), element_of<B, I>(b), c, random);
  }
};
template <class A, class B, int I>
struct scaled_product<A, B, I, true> {
  using product_t = typename product_of<term_of<typename A::element>, term_of<typename B::element>>::type;
  using scale_t = scale_of_product<A, B>;
  // A scaled product's offset does not tell whether a factor is subnormal.
  using term_t = term<product_t::precision, product_t::offset_max + scale_t::offset_max, product_t::lsb + scale_t::lsb,
                      product_t::lead>;

  static HWGEN_INLINE unpacked<term_t> exact(ap_uint<A::width> a, ap_uint<B::width> b) {
    const auto p =
        multiply(unpack<typename A::element>(element_of<A, I>(a)), unpack<typename B::element>(element_of<B, I>(b)));
    const scale_t scale = product_scale<A, B>(a, b);
    unpacked<term_t> x;
    x.value.negative = p.value.negative;
    x.value.offset = p.value.offset + scale.offset;
    x.value.significand = p.value.significand;
    x.is_inf = p.is_inf;
    x.is_nan = p.is_nan | scale.is_nan;
    return x;
  }
  template <class Y, class RULE>
  static HWGEN_INLINE ap_uint<Y::width> rounded(ap_uint<A::width> a, ap_uint<B::width> b,
                                                typename RULE::random_t random) {
    return round_to<Y, RULE>(exact(a, b), random);
  }
  template <class C, class Y, class RULE>
  static HWGEN_INLINE ap_uint<Y::width> added(ap_uint<A::width> a, ap_uint<B::width> b, ap_uint<C::width> c,
                                              typename RULE::random_t random) {
    return round_to<Y, RULE>(sum<Y, RULE>(exact(a, b), unpack<C>(c)), random);
  }
};
template <class A, class B, int I>
using lane_product = scaled_product<A, B, I, (A::scaled || B::scaled)>;

// --- tree ---

// Products and all sums but the root are rounded to P under PARTIAL_RULE. Product i takes word i, the sum whose right
// part begins with element i takes word n - 1 + i, and the sum with the addend the last.
template <class A, class B, class P, class PARTIAL_RULE, int WORDS>
struct tree_lanes {
  using value_t = ap_uint<P::width>;
  using words = random_words<typename PARTIAL_RULE::random_t, WORDS>;
  ap_uint<A::width> a;
  ap_uint<B::width> b;
  typename words::type random;

  template <int I>
  HWGEN_INLINE value_t lane() const {
    return lane_product<A, B, I>::template rounded<P, PARTIAL_RULE>(a, b, words::template word<I>(random));
  }
  template <int I>
  HWGEN_INLINE value_t join(value_t left, value_t right) const {
    return add<P, P, P, PARTIAL_RULE>(left, right, words::template word<A::count - 1 + I>(random));
  }
};

// The root rounds into Y: it is the sum of two parts, or the only product.
template <class A, class B, class P, class PARTIAL_RULE, class Y, class RULE, int N>
struct tree_root {
  static constexpr int words = 2 * N - 1;
  using random = random_words<typename RULE::random_t, words>;
  using lanes = tree_lanes<A, B, P, PARTIAL_RULE, words>;
  static constexpr int left = 1 << (log2_up(N) - 1);
  static HWGEN_INLINE ap_uint<Y::width> run(ap_uint<A::width> a, ap_uint<B::width> b, typename random::type rand) {
    const lanes products = {a, b, rand};
    return add<P, P, Y, RULE>(joined_lanes<lanes, 0, left>::run(products),
                              joined_lanes<lanes, left, N - left>::run(products),
                              random::template word<N - 1 + left>(rand));
  }
};
template <class A, class B, class P, class PARTIAL_RULE, class Y, class RULE>
struct tree_root<A, B, P, PARTIAL_RULE, Y, RULE, 1> {
  using random = random_words<typename RULE::random_t, 1>;
  static HWGEN_INLINE ap_uint<Y::width> run(ap_uint<A::width> a, ap_uint<B::width> b, typename random::type rand) {
    return lane_product<A, B, 0>::template rounded<Y, RULE>(a, b, random::template word<0>(rand));
  }
};

template <class A, class B, class Y, class RULE, class P, class PARTIAL_RULE>
HWGEN_INLINE ap_uint<Y::width> dot_tree(
    ap_uint<A::width> a, ap_uint<B::width> b,
    typename tree_root<A, B, P, PARTIAL_RULE, Y, RULE, A::count>::random::type random = {}) {
  return tree_root<A, B, P, PARTIAL_RULE, Y, RULE, A::count>::run(a, b, random);
}
template <class A, class B, class C, class Y, class RULE, class P, class PARTIAL_RULE>
HWGEN_INLINE ap_uint<Y::width> dot_tree(
    ap_uint<A::width> a, ap_uint<B::width> b, ap_uint<C::width> c,
    typename random_words<typename RULE::random_t, 2 * A::count>::type random = {}) {
  using words = random_words<typename RULE::random_t, 2 * A::count>;
  using lanes = tree_lanes<A, B, P, PARTIAL_RULE, 2 * A::count>;
  const lanes products = {a, b, random};
  return add<P, C, Y, RULE>(joined_lanes<lanes, 0, A::count>::run(products), c,
                            words::template word<2 * A::count - 1>(random));
}

// --- sequence ---

// How a product meets the sum so far. `exact_product`: in one rounding; step i takes word i.
struct exact_product {
  static constexpr int words = 1;
  template <class A, class B, int I, class Y, class RULE, class WORDS>
  static HWGEN_INLINE ap_uint<Y::width> alone(ap_uint<A::width> a, ap_uint<B::width> b, typename WORDS::type random) {
    return lane_product<A, B, I>::template rounded<Y, RULE>(a, b, WORDS::template word<I>(random));
  }
  template <class A, class B, int I, class S, class Y, class RULE, class WORDS>
  static HWGEN_INLINE ap_uint<Y::width> added(ap_uint<A::width> a, ap_uint<B::width> b, ap_uint<S::width> s,
                                              typename WORDS::type random) {
    return lane_product<A, B, I>::template added<S, Y, RULE>(a, b, s, WORDS::template word<I>(random));
  }
};
// `rounded_product`: rounded to F before; product i takes word 2 i, its sum word 2 i + 1.
template <class F, class PRODUCT_RULE>
struct rounded_product {
  static constexpr int words = 2;
  template <class A, class B, int I, class WORDS>
  static HWGEN_INLINE ap_uint<F::width> product(ap_uint<A::width> a, ap_uint<B::width> b, typename WORDS::type random) {
    return lane_product<A, B, I>::template rounded<F, PRODUCT_RULE>(a, b, WORDS::template word<2 * I>(random));
  }
  template <class A, class B, int I, class Y, class RULE, class WORDS>
  static HWGEN_INLINE ap_uint<Y::width> alone(ap_uint<A::width> a, ap_uint<B::width> b, typename WORDS::type random) {
    return convert<F, Y, RULE>(product<A, B, I, WORDS>(a, b, random), WORDS::template word<2 * I + 1>(random));
  }
  template <class A, class B, int I, class S, class Y, class RULE, class WORDS>
  static HWGEN_INLINE ap_uint<Y::width> added(ap_uint<A::width> a, ap_uint<B::width> b, ap_uint<S::width> s,
                                              typename WORDS::type random) {
    return add<F, S, Y, RULE>(product<A, B, I, WORDS>(a, b, random), s, WORDS::template word<2 * I + 1>(random));
  }
};

// Steps I and on, MORE of them behind it. All but the last round to P under PARTIAL_RULE.
template <class A, class B, class PRODUCT, class P, class PARTIAL_RULE, class Y, class RULE, int I, int MORE>
struct sequence_from {
  using words = random_words<typename RULE::random_t, PRODUCT::words * A::count>;
  using rest = sequence_from<A, B, PRODUCT, P, PARTIAL_RULE, Y, RULE, I + 1, MORE - 1>;
  static HWGEN_INLINE ap_uint<Y::width> alone(ap_uint<A::width> a, ap_uint<B::width> b, typename words::type random) {
    const ap_uint<P::width> s = PRODUCT::template alone<A, B, I, P, PARTIAL_RULE, words>(a, b, random);
    return rest::template onto<P>(a, b, s, random);
  }
  template <class S>
  static HWGEN_INLINE ap_uint<Y::width> onto(ap_uint<A::width> a, ap_uint<B::width> b, ap_uint<S::width> s,
                                             typename words::type random) {
    const ap_uint<P::width> next = PRODUCT::template added<A, B, I, S, P, PARTIAL_RULE, words>(a, b, s, random);
    return rest::template onto<P>(a, b, next, random);
  }
};
template <class A, class B, class PRODUCT, class P, class PARTIAL_RULE, class Y, class RULE, int I>
struct sequence_from<A, B, PRODUCT, P, PARTIAL_RULE, Y, RULE, I, 0> {
  using words = random_words<typename RULE::random_t, PRODUCT::words * A::count>;
  static HWGEN_INLINE ap_uint<Y::width> alone(ap_uint<A::width> a, ap_uint<B::width> b, typename words::type random) {
    return PRODUCT::template alone<A, B, I, Y, RULE, words>(a, b, random);
  }
  template <class S>
  static HWGEN_INLINE ap_uint<Y::width> onto(ap_uint<A::width> a, ap_uint<B::width> b, ap_uint<S::width> s,
                                             typename words::type random) {
    return PRODUCT::template added<A, B, I, S, Y, RULE, words>(a, b, s, random);
  }
};

// y = a[0] * b[0], + a[1] * b[1], ... from left to right; with an addend the first product is added to it.
template <class A, class B, class Y, class RULE, class P, class PARTIAL_RULE, class PRODUCT>
HWGEN_INLINE ap_uint<Y::width> dot_sequential(
    ap_uint<A::width> a, ap_uint<B::width> b,
    typename random_words<typename RULE::random_t, PRODUCT::words * A::count>::type random = {}) {
  return sequence_from<A, B, PRODUCT, P, PARTIAL_RULE, Y, RULE, 0, A::count - 1>::alone(a, b, random);
}
template <class A, class B, class C, class Y, class RULE, class P, class PARTIAL_RULE, class PRODUCT>
HWGEN_INLINE ap_uint<Y::width> dot_sequential(
    ap_uint<A::width> a, ap_uint<B::width> b, ap_uint<C::width> c,
    typename random_words<typename RULE::random_t, PRODUCT::words * A::count>::type random = {}) {
  return sequence_from<A, B, PRODUCT, P, PARTIAL_RULE, Y, RULE, 0, A::count - 1>::template onto<C>(a, b, c, random);
}

}  // namespace hwgen
