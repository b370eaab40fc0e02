// The array: rows x cols dot units, each multiplying `lanes` pairs of digits in every clock.
//
// A digit is `digit` bits; in the one that holds a number's sign the top bit has negative weight. A sum of `sum_bits`
// bits never overflows within the greatest K of the core.
#pragma once

#include <hls_stream.h>

#include <type_traits>

#include "hwgen/trainer/digit_counts.hpp"
#include "hwgen/trainer/digit_products.hpp"
#include "hwgen/trainer/split_products.hpp"

namespace hwgen {
namespace trainer {

// How the core multiplies: what has the sums of one clock.
template <class CORE>
using clock_sums = typename std::conditional<
    CORE::splits, split_products<CORE>,
    typename std::conditional<counts_products<CORE>(), digit_counts<CORE>, digit_products<CORE>>::type>::type;

// They are on their way to the accumulators with the marks that these need.
template <class CORE>
struct counted {
  static constexpr int width = clock_sums<CORE>::bits * CORE::rows * CORE::cols + 3;
};

template <class CORE>
HWGEN_INLINE ap_uint<counted<CORE>::width> counted_products(word_a<CORE> a, word_b<CORE> b, marks mark) {
  using word_t = ap_uint<counted<CORE>::width>;
  const word_t marked = word_t(mark.first) | (word_t(mark.shift) << 1) | (word_t(mark.last) << 2);
  return (word_t(clock_sums<CORE>::of(a, b, mark)) << 3) | marked;
}

// First half.
template <class CORE>
HWGEN_INLINE void count_products(hls::stream<ap_uint<CORE::digit * CORE::lanes * CORE::rows + marks::width>>& words_a,
                                 hls::stream<ap_uint<CORE::digit * CORE::lanes * CORE::cols>>& words_b,
                                 hls::stream<ap_uint<counted<CORE>::width>>& sums_out) {
  const ap_uint<CORE::digit * CORE::lanes * CORE::rows + marks::width> a = words_a.read();
  const word_b<CORE> b = words_b.read();
  const marks mark = marks::of(a >> (CORE::digit * CORE::lanes * CORE::rows));
  sums_out.write(counted_products<CORE>(a, b, mark));
}

// Adds the sums of a clock to those of a tile.
template <class CORE>
HWGEN_INLINE void add_counted(ap_uint<counted<CORE>::width> word,
                              ap_int<CORE::sum_bits> (&total)[CORE::rows * CORE::cols]) {
  using sums = clock_sums<CORE>;
  constexpr int bits = CORE::sum_bits;
  const bool first = word[0];
  const bool shift = !CORE::splits && word[1];
  const typename sums::packed packed = word >> 3;
  for (int unit = 0; unit < sums::units; ++unit) {
#pragma HLS unroll
    const ap_int<sums::bits> more = sums::number(packed, unit);
    const ap_int<bits> moved = shift ? ap_int<bits>(total[unit] << CORE::digit) : total[unit];
    const ap_int<bits> before = first ? ap_int<bits>(0) : moved;
    total[unit] = before + more;
  }
}

// All sums as one word.
template <class CORE>
HWGEN_INLINE ap_uint<CORE::sum_bits * CORE::rows * CORE::cols> tile_of(
    const ap_int<CORE::sum_bits> (&total)[CORE::rows * CORE::cols]) {
  constexpr int bits = CORE::sum_bits;
  using tile_t = ap_uint<bits * CORE::rows * CORE::cols>;
  tile_t tile = 0;
  for (int unit = 0; unit < CORE::rows * CORE::cols; ++unit) {
#pragma HLS unroll
    tile |= tile_t(ap_uint<bits>(total[unit])) << (bits * unit);
  }
  return tile;
}

// Second half: one accumulator a unit. A finished tile leaves whole.
template <class CORE>
HWGEN_INLINE void accumulate(hls::stream<ap_uint<counted<CORE>::width>>& sums_in,
                             hls::stream<ap_uint<CORE::sum_bits * CORE::rows * CORE::cols>>& tiles) {
  static ap_int<CORE::sum_bits> total[CORE::rows * CORE::cols] = {};
#pragma HLS array_partition variable = total complete
  const ap_uint<counted<CORE>::width> word = sums_in.read();
  add_counted<CORE>(word, total);
  if (word[2]) tiles.write(tile_of<CORE>(total));  // the last of a tile
}

}  // namespace trainer
}  // namespace hwgen
