// What the lanes of a dot product share: joining them pairwise, and the special values of a sum of many terms.
#pragma once

#include "hwgen/dot_trim.hpp"
#include "hwgen/rounding.hpp"
#include "hwgen/unpack.hpp"

namespace hwgen {

// Smallest k with 2^k >= n.
constexpr int log2_up(int n) { return n <= 1 ? 0 : 1 + log2_up((n + 1) / 2); }

// Lanes LOW .. LOW + COUNT - 1 of LANES, joined in pairs; an odd last lane passes up to the next level. Recursion
// rather than loops over an array: every lane is its own value from the start, in every compiler.
template <class LANES, int LOW, int COUNT>
struct joined_lanes {
  static constexpr int left = 1 << (log2_up(COUNT) - 1);
  static HWGEN_INLINE typename LANES::value_t run(const LANES& lanes) {
    return lanes.template join<LOW + left>(joined_lanes<LANES, LOW, left>::run(lanes),
                                           joined_lanes<LANES, LOW + left, COUNT - left>::run(lanes));
  }
};
template <class LANES, int LOW>
struct joined_lanes<LANES, LOW, 1> {
  static HWGEN_INLINE typename LANES::value_t run(const LANES& lanes) { return lanes.template lane<LOW>(); }
};

// What a sum's value does not tell about its terms.
struct term_flags {
  ap_uint<1> is_nan;
  ap_uint<1> plus_inf;
  ap_uint<1> minus_inf;
  ap_uint<1> all_negative;
  ap_uint<1> any_negative;
};

template <class T>
HWGEN_INLINE term_flags flags_of(unpacked<T> x) {
  return term_flags{x.is_nan, ap_uint<1>(x.is_inf & ~x.value.negative), ap_uint<1>(x.is_inf & x.value.negative),
                    x.value.negative, x.value.negative};
}

HWGEN_INLINE term_flags operator|(term_flags a, term_flags b) {
  return term_flags{ap_uint<1>(a.is_nan | b.is_nan), ap_uint<1>(a.plus_inf | b.plus_inf),
                    ap_uint<1>(a.minus_inf | b.minus_inf), ap_uint<1>(a.all_negative & b.all_negative),
                    ap_uint<1>(a.any_negative | b.any_negative)};
}

// The special values of the sum. A zero sum has IEEE's sign, left to right: where all terms are zeros, -0 if all are
// negative (toward -Inf: if any is); where they cancel, signs differ, so the same rule says +0 (toward -Inf: -0).
template <class RULE>
HWGEN_INLINE sum_specials specials_of(term_flags flags, ap_uint<1> scale_is_nan) {
  return sum_specials{ap_uint<1>(flags.is_nan | scale_is_nan | (flags.plus_inf & flags.minus_inf)),
                      ap_uint<1>(flags.plus_inf | flags.minus_inf), flags.minus_inf,
                      RULE::kind == mode::rdn ? flags.any_negative : flags.all_negative};
}

}  // namespace hwgen
