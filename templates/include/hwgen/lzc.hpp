// Leading-zero count.
#pragma once

#include "hwgen/format.hpp"

namespace hwgen {

// Among 2^K bits: the number of zeros above the leading one, and whether there is none (then `zeros` is 2^K - 1).
template <int K>
struct zero_count {
  ap_uint<1> none;
  ap_uint<K> zeros;
};

// By halves: the upper count if it found a one, else the lower; the depth grows with K only.
template <int K>
struct leading_zero_tree {
  static HWGEN_INLINE zero_count<K> count(ap_uint<(1 << K)> v) {
    const zero_count<K - 1> high = leading_zero_tree<K - 1>::count(v >> (1 << (K - 1)));
    const zero_count<K - 1> low = leading_zero_tree<K - 1>::count(v);
    zero_count<K> both;
    both.none = high.none & low.none;
    both.zeros = (ap_uint<K>(high.none) << (K - 1)) | ap_uint<K>(high.none ? low.zeros : high.zeros);
    return both;
  }
};
template <>
struct leading_zero_tree<1> {
  static HWGEN_INLINE zero_count<1> count(ap_uint<2> v) {
    zero_count<1> pair;
    pair.none = v == 0;
    pair.zeros = ~v[1];
    return pair;
  }
};

// Number of zeros above the leading one of `v`, W if v is zero.
template <int W>
HWGEN_INLINE ap_uint<bits_for(W)> leading_zeros(ap_uint<W> v) {
#ifndef HWGEN_LOWER
  if (W <= 64) return v.countLeadingZeros();  // other tools and processors have it built in, for a machine word
#endif
  constexpr int levels = bits_for(larger(W - 1, 1));
  constexpr int padding = (1 << levels) - W;
  // Ones below end the count of an all-zero vector at W; without room for them, it is one more than the tree can say.
  const ap_uint<(1 << levels)> padded =
      (ap_uint<(1 << levels)>(v) << padding) | ((ap_uint<(1 << levels)>(1) << padding) - 1);
  const zero_count<levels> found = leading_zero_tree<levels>::count(padded);
  return (padding == 0 && found.none) ? ap_uint<bits_for(W)>(W) : ap_uint<bits_for(W)>(found.zeros);
}

}  // namespace hwgen
