// Leading-zero count.
#pragma once

#include "hwgen/format.hpp"

namespace hwgen {

template <int W, bool IN_ONE_WORD>
struct leading_zero_counter {
  static HWGEN_INLINE ap_uint<bits_for(W)> count(ap_uint<W> v) { return v.countLeadingZeros(); }
};

// Vitis' countLeadingZeros is meant for one machine word; wider vectors are counted half by half.
template <int W>
struct leading_zero_counter<W, false> {
  static HWGEN_INLINE ap_uint<bits_for(W)> count(ap_uint<W> v) {
    constexpr int low = W / 2;
    const ap_uint<W - low> high_half = v >> low;
    const ap_uint<low> low_half = v;
    const ap_uint<bits_for(W)> in_high = leading_zero_counter<W - low, (W - low <= 64)>::count(high_half);
    const ap_uint<bits_for(W)> in_low = leading_zero_counter<low, (low <= 64)>::count(low_half);
    return high_half == 0 ? ap_uint<bits_for(W)>(in_low + (W - low)) : in_high;
  }
};

// Number of zeros above the leading one of `v`, W if v is zero.
template <int W>
HWGEN_INLINE ap_uint<bits_for(W)> leading_zeros(ap_uint<W> v) {
  return leading_zero_counter<W, (W <= 64)>::count(v);
}

}  // namespace hwgen
