// Rounding modes and overflow rules as types, and the one-bit decision "does the magnitude go up?".
#pragma once

#include "hwgen/format.hpp"

namespace hwgen {

// rne: nearest, ties to even. rna: nearest, ties away. rtz: toward zero. rup: toward +Inf. rdn: toward -Inf.
// rto: to odd (an inexact result gets an odd last bit). sr: stochastic.
enum class mode { rne, rna, rtz, rup, rdn, rto, sr };

// What a result beyond the largest finite number becomes.
//   infinity: IEEE 754, per mode.     saturate: the largest finite number, for infinite operands too (OCP OFP8).
//   nan: NaN where IEEE gives Inf.    wrap: modulo 2^W (fixed point only).
enum class overflow { infinity, saturate, nan, wrap };

// When a sum of floats meets its random word: lazily, once it is normalised; or eagerly, at every place where its last
// place can come to lie, while its leading one is still looked for. The results are the same.
enum class random_word { lazy, eager };

struct no_random {};

// A rounding rule. `extra` is the number of bits below the last place that the decision looks at; whatever lies below
// those counts only as zero or non-zero (sticky).
template <mode MODE, overflow OVERFLOW, int RANDOM_BITS = 0, random_word WHEN = random_word::lazy>
struct rounding {
  static constexpr bool eager = false;
  static constexpr mode kind = MODE;
  static constexpr overflow on_overflow = OVERFLOW;
  static constexpr int extra = 1;
  using random_t = no_random;
};
template <overflow OVERFLOW, int RANDOM_BITS, random_word WHEN>
struct rounding<mode::sr, OVERFLOW, RANDOM_BITS, WHEN> {
  static_assert(RANDOM_BITS >= 1, "stochastic rounding needs at least one random bit");
  static constexpr bool eager = WHEN == random_word::eager;
  static constexpr mode kind = mode::sr;
  static constexpr overflow on_overflow = OVERFLOW;
  static constexpr int extra = RANDOM_BITS;
  using random_t = ap_uint<RANDOM_BITS>;
};

// Deterministic modes: `guard` is the bit below the last place, `sticky` says whether anything lies below that.
template <class RULE>
HWGEN_INLINE ap_uint<1> rounds_up(ap_uint<1> negative, ap_uint<1> odd, ap_uint<1> guard, ap_uint<1> sticky, no_random) {
  const ap_uint<1> inexact = guard | sticky;
  switch (RULE::kind) {
    case mode::rne:
      return guard & (sticky | odd);
    case mode::rna:
      return guard;
    case mode::rup:
      return inexact & ~negative;
    case mode::rdn:
      return inexact & negative;
    case mode::rto:
      return inexact & ~odd;
    default:
      return 0;
  }
}

// Stochastic: the r bits below the last place, k = floor(f * 2^r), go up with u when k + u >= 2^r. The sticky bit has
// no say: what lies below k must not shift the probability.
template <class RULE, int R>
HWGEN_INLINE ap_uint<1> rounds_up(ap_uint<1>, ap_uint<1>, ap_uint<R> k, ap_uint<1>, ap_uint<R> u) {
  const ap_uint<R + 1> sum = k + u;
  return sum[R];
}

// Whether a result beyond the range becomes infinite (or its stand-in) rather than the largest finite number.
template <class RULE>
HWGEN_INLINE ap_uint<1> overflows_to_infinity(ap_uint<1> negative) {
  switch (RULE::kind) {
    case mode::rtz:
    case mode::rto:
      return 0;
    case mode::rup:
      return ~negative;
    case mode::rdn:
      return negative;
    default:
      return 1;
  }
}

}  // namespace hwgen
