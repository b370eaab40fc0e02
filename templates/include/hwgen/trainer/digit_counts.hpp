// Sums of products of small digits, counted.
//
// All units see the same kind of digit in a clock, so the sign of the products of one pair of bit positions is the same
// for all: their ones are counted, and the count is added or subtracted. Counts are bit-sliced, all units at once. For
// digits of one or two bits this takes fewer tables than multipliers do.
#pragma once

#include "hwgen/trainer/digits.hpp"
#include "hwgen/trainer/multiply.hpp"
#include "hwgen/trainer/slices.hpp"

namespace hwgen {
namespace trainer {

// Sums of digit products lie in [-lanes * 2^(D-1) * (2^D - 1), lanes * (2^D - 1)^2].
template <class CORE>
struct digit_counts {
  static constexpr int units = CORE::rows * CORE::cols;
  static constexpr int bits = bits_for(CORE::lanes * largest_product(CORE::digit)) + 1;
  using type = slices<bits, units>;
  using packed = ap_uint<bits * units>;
  using unit_t = ap_uint<units>;

  // Products of bit i of A's digits and bit j of B's in a lane. Unit u is in row u / cols and column u % cols. A word
  // of B comes with the bits of all columns side by side, for each lane and bit.
  static HWGEN_INLINE unit_t products(word_a<CORE> a, word_b<CORE> b, int lane, int i, int j) {
    const ap_uint<CORE::cols> columns = b >> (CORE::cols * (CORE::digit * lane + j));
    unit_t all = 0;
    for (int row = 0; row < CORE::rows; ++row) {
#pragma HLS unroll
      const ap_uint<1> x = a >> (CORE::digit * (CORE::lanes * row + lane) + i);
      const ap_uint<CORE::cols> gated = x ? columns : ap_uint<CORE::cols>(0);
      all |= unit_t(gated) << (CORE::cols * row);
    }
    return all;
  }

  // The sums of one clock, two's complement, bit-sliced.
  static HWGEN_INLINE packed of(word_a<CORE> a, word_b<CORE> b, marks mark) {
    type sum = type::all(0);
    add_all<0>(sum, a, b, mark.top_a, mark.top_b);
    packed word = 0;
    for (int k = 0; k < bits; ++k) {
#pragma HLS unroll
      word |= packed(sum.plane[k]) << (units * k);
    }
    return word;
  }
  static HWGEN_INLINE ap_int<bits> number(packed word, int unit) {
    type sum;
    for (int k = 0; k < bits; ++k) {
#pragma HLS unroll
      sum.plane[k] = word >> (units * k);
    }
    return sum.number(unit);
  }

 private:
  // Adds the counts of bit positions i and j of the digits, for i * digit + j from PAIR on.
  template <int PAIR>
  static HWGEN_INLINE typename std::enable_if<(PAIR < CORE::digit * CORE::digit)>::type add_all(
      type& sum, word_a<CORE> a, word_b<CORE> b, ap_uint<1> top_a, ap_uint<1> top_b) {
    constexpr int i = PAIR / CORE::digit;
    constexpr int j = PAIR % CORE::digit;
    unit_t words[CORE::lanes];
    for (int lane = 0; lane < CORE::lanes; ++lane) {
#pragma HLS unroll
      words[lane] = products(a, b, lane, i, j);
    }
    const ap_uint<1> negative = (top_a & ap_uint<1>(i == CORE::digit - 1)) ^ (top_b & ap_uint<1>(j == CORE::digit - 1));
    sum = add_shifted<i + j>(sum, count_of<CORE::lanes, units>::ones(words), negative);
    add_all<PAIR + 1>(sum, a, b, top_a, top_b);
  }
  template <int PAIR>
  static HWGEN_INLINE typename std::enable_if<(PAIR >= CORE::digit * CORE::digit)>::type add_all(type&, word_a<CORE>,
                                                                                                 word_b<CORE>,
                                                                                                 ap_uint<1>,
                                                                                                 ap_uint<1>) {}
};

}  // namespace trainer
}  // namespace hwgen
