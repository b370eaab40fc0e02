// The rounding unit: conversion with the published variants of stochastic rounding by name.
//
// With f the discarded fraction of an ulp and u the random word of r bits, the magnitude goes up if
//   floor:    floor(f * 2^r) + u >= 2^r            (as in every other operator)
//   compare:  u < floor(f * 2^r)                   (a comparator; other words, same probability)
//   centred:  f * 2^r + u + 1/2 >= 2^r             (no bias from the truncation of f)
//   nearest:  rne(f * 2^r) + u >= 2^r              (f rounded to nearest, ties to even, first)
#pragma once

#include "hwgen/convert.hpp"

namespace hwgen {

enum class variant { floor, compare, centred, nearest };

// The word of variant `nearest`: a type of its own, which chooses the decision below.
template <int R>
struct prerounded_word {
  ap_uint<R> word;
};

// Its rule looks at one bit more than the word has, and at what lies below that.
template <overflow OVERFLOW, int RANDOM_BITS>
struct prerounding {
  static constexpr mode kind = mode::sr;
  static constexpr overflow on_overflow = OVERFLOW;
  static constexpr int extra = RANDOM_BITS + 1;
  using random_t = prerounded_word<RANDOM_BITS>;
};

// `below` is k and a guard bit: k is rounded to nearest, and then plays its part. It may reach 2^R: then any word does.
template <class RULE, int R>
HWGEN_INLINE ap_uint<1> rounds_up(ap_uint<1>, ap_uint<1>, ap_uint<R + 1> below, ap_uint<1> sticky,
                                  prerounded_word<R> u) {
  const ap_uint<R> k = below >> 1;
  const ap_uint<1> nearer_above = below[0] & (sticky | k[0]);
  const ap_uint<R + 1> sum = ap_uint<R + 1>(k) + ap_uint<R + 1>(u.word) + ap_uint<R + 1>(nearer_above);
  return sum[R];
}

template <class X, class Y, class RULE, variant VARIANT>
struct rounding_unit {
  static HWGEN_INLINE ap_uint<Y::width> run(ap_uint<X::width> x, typename RULE::random_t random) {
    return convert<X, Y, RULE>(x, random);
  }
};

// u < k is k + ~u >= 2^r.
template <class X, class Y, class RULE>
struct rounding_unit<X, Y, RULE, variant::compare> {
  static HWGEN_INLINE ap_uint<Y::width> run(ap_uint<X::width> x, ap_uint<RULE::extra> random) {
    return convert<X, Y, RULE>(x, ~random);
  }
};

// The half is a last bit that is always set: floor(f * 2^(r+1)) + (2u + 1) >= 2^(r+1).
template <class X, class Y, class RULE>
struct rounding_unit<X, Y, RULE, variant::centred> {
  using finer = rounding<mode::sr, RULE::on_overflow, RULE::extra + 1>;
  static HWGEN_INLINE ap_uint<Y::width> run(ap_uint<X::width> x, ap_uint<RULE::extra> random) {
    const ap_uint<RULE::extra + 1> word = (ap_uint<RULE::extra + 1>(random) << 1) | ap_uint<RULE::extra + 1>(1);
    return convert<X, Y, finer>(x, word);
  }
};

template <class X, class Y, class RULE>
struct rounding_unit<X, Y, RULE, variant::nearest> {
  using rule = prerounding<RULE::on_overflow, RULE::extra>;
  static HWGEN_INLINE ap_uint<Y::width> run(ap_uint<X::width> x, ap_uint<RULE::extra> random) {
    prerounded_word<RULE::extra> u;
    u.word = random;
    return round_to<Y, rule>(unpack<X>(x), u);
  }
};

// y = round(x). A deterministic RULE has only the variant `floor`, and ignores it.
template <class X, class Y, class RULE, variant VARIANT>
HWGEN_INLINE ap_uint<Y::width> round_unit(ap_uint<X::width> x,
                                          typename RULE::random_t random = typename RULE::random_t()) {
  return rounding_unit<X, Y, RULE, VARIANT>::run(x, random);
}

}  // namespace hwgen
