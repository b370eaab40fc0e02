// Bit-sliced arithmetic: many equal small numbers at once, bit k of all of them in word k.
//
// One bitwise operation works on a bit of every number, so a full adder of words is one full adder for each number. For
// counting the ones of products of many digit pairs this is what a carry-save tree is, written so that a processor,
// too, does 64 of them at a time.
#pragma once

#include "hwgen/format.hpp"

namespace hwgen {

// N numbers of BITS bits each.
template <int BITS, int N>
struct slices {
  ap_uint<N> plane[BITS];

  // Number i.
  HWGEN_INLINE ap_uint<BITS> number(int i) const {
    ap_uint<BITS> x = 0;
    for (int k = 0; k < BITS; ++k) {
#pragma HLS unroll
      const ap_uint<1> bit = plane[k] >> i;
      x |= ap_uint<BITS>(bit) << k;
    }
    return x;
  }
  // The same number for all.
  static HWGEN_INLINE slices all(ap_uint<BITS> x) {
    slices s;
    for (int k = 0; k < BITS; ++k) {
#pragma HLS unroll
      const ap_uint<1> bit = x >> k;
      s.plane[k] = bit ? ap_uint<N>(~ap_uint<N>(0)) : ap_uint<N>(0);
    }
    return s;
  }
};

// a + (b << SHIFT), or a - (b << SHIFT) if `negative`, modulo 2^BITS.
template <int SHIFT, int BITS, int LESS, int N>
HWGEN_INLINE slices<BITS, N> add_shifted(slices<BITS, N> a, slices<LESS, N> b, ap_uint<1> negative) {
  const ap_uint<N> flip = negative ? ap_uint<N>(~ap_uint<N>(0)) : ap_uint<N>(0);
  slices<BITS, N> sum = a;
  ap_uint<N> carry = flip;
  for (int k = SHIFT; k < BITS; ++k) {
#pragma HLS unroll
    const ap_uint<N> x = a.plane[k];
    const ap_uint<N> y = (k - SHIFT < LESS ? b.plane[smaller(k - SHIFT, LESS - 1)] : ap_uint<N>(0)) ^ flip;
    const ap_uint<N> differ = x ^ y;
    sum.plane[k] = differ ^ carry;
    carry = (x & y) | (differ & carry);
  }
  return sum;
}

// How many of COUNT words have a one, for each bit. Words go by threes through full adders (three products of two bits
// each are six inputs, what a lookup table has); then their sums are counted, and their carries.
template <int COUNT, int N>
struct count_of {
  static constexpr int bits = bits_for(COUNT);
  static constexpr int threes = COUNT / 3;
  static constexpr int sums = threes + COUNT % 3;
  static HWGEN_INLINE slices<bits, N> ones(const ap_uint<N>* words) {
    ap_uint<N> sum[sums];
    ap_uint<N> carry[threes];
    for (int i = 0; i < threes; ++i) {
#pragma HLS unroll
      const ap_uint<N> a = words[3 * i];
      const ap_uint<N> b = words[3 * i + 1];
      const ap_uint<N> c = words[3 * i + 2];
      sum[i] = a ^ b ^ c;
      carry[i] = (a & b) | ((a ^ b) & c);
    }
    for (int i = 0; i < COUNT % 3; ++i) {
#pragma HLS unroll
      sum[threes + i] = words[3 * threes + i];
    }
    const auto of_sums = count_of<sums, N>::ones(sum);
    slices<bits, N> wide;
    for (int k = 0; k < bits; ++k) {
#pragma HLS unroll
      wide.plane[k] =
          k < count_of<sums, N>::bits ? of_sums.plane[smaller(k, count_of<sums, N>::bits - 1)] : ap_uint<N>(0);
    }
    return add_shifted<1>(wide, count_of<threes, N>::ones(carry), 0);
  }
};
template <int N>
struct count_of<2, N> {
  static constexpr int bits = 2;
  static HWGEN_INLINE slices<2, N> ones(const ap_uint<N>* words) {
    slices<2, N> s;
    s.plane[0] = words[0] ^ words[1];
    s.plane[1] = words[0] & words[1];
    return s;
  }
};
template <int N>
struct count_of<1, N> {
  static constexpr int bits = 1;
  static HWGEN_INLINE slices<1, N> ones(const ap_uint<N>* words) {
    slices<1, N> s;
    s.plane[0] = words[0];
    return s;
  }
};

}  // namespace hwgen
