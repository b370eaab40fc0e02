// The array: rows x cols dot units, each multiplying `lanes` pairs of digits in every clock.
//
// A digit is `digit` bits; in the one that holds a number's sign the top bit has negative weight. All units see the
// same kind of digit in a clock, so the sign of the products of one pair of bit positions is the same for all: their
// ones are counted, and the count is added or subtracted. Counts are bit-sliced, all units at once. A sum of `sum_bits`
// bits never overflows within the greatest K of the core.
#pragma once

#include <hls_stream.h>

#include "hwgen/trainer/multiply.hpp"
#include "hwgen/trainer/slices.hpp"

namespace hwgen {
namespace trainer {

// Sums of digit products lie in [-lanes * 2^(D-1) * (2^D - 1), lanes * (2^D - 1)^2].
constexpr int largest_product(int digit) { return ((1 << digit) - 1) * ((1 << digit) - 1); }

template <class CORE>
struct digit_sums {
  static constexpr int units = CORE::rows * CORE::cols;
  static constexpr int bits = bits_for(CORE::lanes * largest_product(CORE::digit)) + 1;
  using type = slices<bits, units>;
  using word_a = ap_uint<CORE::digit * CORE::lanes * CORE::rows>;
  using word_b = ap_uint<CORE::digit * CORE::lanes * CORE::cols>;
  using unit_t = ap_uint<units>;

  // Products of bit i of A's digits and bit j of B's in a lane. Unit u is in row u / cols and column u % cols. A word
  // of B comes with the bits of all columns side by side, for each lane and bit.
  static HWGEN_INLINE unit_t products(word_a a, word_b b, int lane, int i, int j) {
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

  // The sums of one clock, two's complement.
  static HWGEN_INLINE type of(word_a a, word_b b, ap_uint<1> top_a, ap_uint<1> top_b) {
    type sum = type::all(0);
    add_all<0>(sum, a, b, top_a, top_b);
    return sum;
  }

 private:
  // Adds the counts of bit positions i and j of the digits, for i * digit + j from PAIR on.
  template <int PAIR>
  static HWGEN_INLINE typename std::enable_if<(PAIR < CORE::digit * CORE::digit)>::type add_all(type& sum, word_a a,
                                                                                                word_b b,
                                                                                                ap_uint<1> top_a,
                                                                                                ap_uint<1> top_b) {
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
  static HWGEN_INLINE typename std::enable_if<(PAIR >= CORE::digit * CORE::digit)>::type add_all(type&, word_a, word_b,
                                                                                                 ap_uint<1>,
                                                                                                 ap_uint<1>) {}
};

// The sums of a clock on their way to the accumulators, with the marks that these need.
template <class CORE>
struct counted {
  static constexpr int width = digit_sums<CORE>::bits * digit_sums<CORE>::units + 3;
};

// Counts products; what it gives is bit-sliced.
template <class CORE>
HWGEN_INLINE ap_uint<counted<CORE>::width> counted_products(typename digit_sums<CORE>::word_a a,
                                                            typename digit_sums<CORE>::word_b b, marks mark) {
  using sums = digit_sums<CORE>;
  using word_t = ap_uint<counted<CORE>::width>;
  const typename sums::type sum = sums::of(a, b, mark.top_a, mark.top_b);
  word_t word = word_t(mark.first) | (word_t(mark.shift) << 1) | (word_t(mark.last) << 2);
  for (int k = 0; k < sums::bits; ++k) {
#pragma HLS unroll
    word |= word_t(sum.plane[k]) << (3 + sums::units * k);
  }
  return word;
}

// First half.
template <class CORE>
HWGEN_INLINE void count_products(hls::stream<ap_uint<CORE::digit * CORE::lanes * CORE::rows + marks::width>>& words_a,
                                 hls::stream<ap_uint<CORE::digit * CORE::lanes * CORE::cols>>& words_b,
                                 hls::stream<ap_uint<counted<CORE>::width>>& sums_out) {
  const ap_uint<CORE::digit * CORE::lanes * CORE::rows + marks::width> a = words_a.read();
  const typename digit_sums<CORE>::word_b b = words_b.read();
  const marks mark = marks::of(a >> (CORE::digit * CORE::lanes * CORE::rows));
  sums_out.write(counted_products<CORE>(a, b, mark));
}

// Adds the sums of a clock to those of a tile.
template <class CORE>
HWGEN_INLINE void add_counted(ap_uint<counted<CORE>::width> word,
                              ap_int<CORE::sum_bits> (&total)[digit_sums<CORE>::units]) {
  using sums = digit_sums<CORE>;
  constexpr int bits = CORE::sum_bits;
  const bool first = word[0];
  const bool shift = word[1];
  typename sums::type sum;
  for (int k = 0; k < sums::bits; ++k) {
#pragma HLS unroll
    sum.plane[k] = word >> (3 + sums::units * k);
  }
  for (int unit = 0; unit < sums::units; ++unit) {
#pragma HLS unroll
    const ap_int<sums::bits> more = sum.number(unit);
    const ap_int<bits> moved = shift ? ap_int<bits>(total[unit] << CORE::digit) : total[unit];
    const ap_int<bits> before = first ? ap_int<bits>(0) : moved;
    total[unit] = before + more;
  }
}

// All sums as one word.
template <class CORE>
HWGEN_INLINE ap_uint<CORE::sum_bits * CORE::rows * CORE::cols> tile_of(
    const ap_int<CORE::sum_bits> (&total)[digit_sums<CORE>::units]) {
  constexpr int bits = CORE::sum_bits;
  using tile_t = ap_uint<bits * digit_sums<CORE>::units>;
  tile_t tile = 0;
  for (int unit = 0; unit < digit_sums<CORE>::units; ++unit) {
#pragma HLS unroll
    tile |= tile_t(ap_uint<bits>(total[unit])) << (bits * unit);
  }
  return tile;
}

// Second half: one accumulator a unit. A finished tile leaves whole.
template <class CORE>
HWGEN_INLINE void accumulate(hls::stream<ap_uint<counted<CORE>::width>>& sums_in,
                             hls::stream<ap_uint<CORE::sum_bits * CORE::rows * CORE::cols>>& tiles) {
  static ap_int<CORE::sum_bits> total[digit_sums<CORE>::units] = {};
#pragma HLS array_partition variable = total complete
  const ap_uint<counted<CORE>::width> word = sums_in.read();
  add_counted<CORE>(word, total);
  if (word[2]) tiles.write(tile_of<CORE>(total));  // the last of a tile
}

}  // namespace trainer
}  // namespace hwgen
