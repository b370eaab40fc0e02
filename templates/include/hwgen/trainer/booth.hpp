// Products of small signed numbers in lookup tables and carry chains.
//
// Radix-4 Booth recoding (MacSorley, 1961) reads the multiplier two bits at a time as digits from -2 to 2, so that a
// product is half as many rows as the multiplier has bits. A bit of a row depends on three bits of the multiplier, two
// of the multiplicand and one of the sum so far: a table of six inputs in front of a carry chain.
#pragma once

#include "hwgen/format.hpp"

namespace hwgen {

// sum + digit * a, where `window` is the two bits of the digit and the one below. -x is ~x and a carry, also
// of 0, where all three bits are set.
template <int A>
HWGEN_INLINE ap_int<A + 2> booth_row(ap_int<A> a, ap_uint<3> window, ap_int<A + 2> sum) {
  using multiple_t = ap_int<A + 1>;
  const ap_uint<1> below = window;
  const ap_uint<1> low = window >> 1;
  const ap_uint<1> high = window >> 2;
  const bool once = low != below;
  const bool twice = low == below && high != low;
  const multiple_t x = once ? multiple_t(a) : twice ? multiple_t(multiple_t(a) << 1) : multiple_t(0);
  const multiple_t y = high ? multiple_t(~x) : x;
  return sum + y + high;
}

// a * b. What is left of a sum after a row is below 2^(A-1) * 8/3 in magnitude, so A + 2 bits hold it.
template <int A, int B>
HWGEN_INLINE ap_int<A + B> booth_product(ap_int<A> a, ap_int<B> b) {
  constexpr int rows = (B + 1) / 2;
  const ap_int<2 * rows + 1> windows = ap_int<2 * rows + 1>(b) << 1;
  ap_int<A + 2> sum = 0;
  ap_uint<2 * rows> low = 0;
  for (int row = 0; row < rows; ++row) {
#pragma HLS unroll
    const ap_int<A + 2> with = booth_row<A>(a, ap_uint<3>(windows >> (2 * row)), sum);
    low |= ap_uint<2 * rows>(ap_uint<2>(with)) << (2 * row);
    sum = with >> 2;
  }
  return (ap_int<A + B>(sum) << (2 * rows)) | ap_int<A + B>(low);
}

}  // namespace hwgen
