// The float lanes' way through the array: fp32 operands are gathered from digit planes where products of digits are
// counted, and finished tiles are collected where sums are accumulated.
//
// The words that the memories give hold one digit of `lanes` elements of each row and column. The lanes take one
// element of K after the other, so each word gives its digit of that element only, and the same words come again for
// the next.
#pragma once

#include <hls_stream.h>

#include "hwgen/trainer/array.hpp"

namespace hwgen {
namespace trainer {

// One element of K: of all rows and of all columns of a tile, and where in the sums it stands.
template <class CORE>
struct float_operands {
  static constexpr int rows = 32 * CORE::rows;
  static constexpr int cols = 32 * CORE::cols;
  static constexpr int width = rows + cols + 3;
  ap_uint<rows> a;
  ap_uint<cols> b;
  ap_uint<1> first;  // the sums begin
  ap_uint<1> adds;   // with what is in result memory
  ap_uint<1> last;   // they end

  HWGEN_INLINE ap_uint<width> word() const {
    return fields<width>::none().put(a).put(b).put(first).put(adds).put(last).word;
  }
  static HWGEN_INLINE float_operands of(ap_uint<width> word) {
    float_operands o;
    fields<width>::of(word).take(o.a).take(o.b).take(o.first).take(o.adds).take(o.last);
    return o;
  }
};

// The digit of a column's element in a word of B.
template <class CORE>
HWGEN_INLINE ap_uint<CORE::digit> digit_of_b(word_b<CORE> word, int col, ap_uint<bits_for(CORE::lanes - 1)> element) {
  constexpr int digit = CORE::digit;
  if (!counts_products<CORE>()) {
    const ap_uint<digit * CORE::lanes> line = word >> (digit * CORE::lanes * col);
    return line >> ap_uint<8>(element * digit);
  }
  const ap_uint<digit * CORE::cols> of_element = word >> ap_uint<12>(element * (digit * CORE::cols));
  ap_uint<digit> d = 0;
  for (int bit = 0; bit < digit; ++bit) {
#pragma HLS unroll
    d |= ap_uint<digit>(ap_uint<1>(of_element >> (CORE::cols * bit + col))) << bit;
  }
  return d;
}

// `count_products`, or: digits of fp32 numbers shift into their places, the lowest first. Of a tile of fp32 only the
// message goes on that it ends.
template <class CORE>
HWGEN_INLINE void count_or_gather(hls::stream<ap_uint<CORE::digit * CORE::lanes * CORE::rows + marks::width>>& words_a,
                                  hls::stream<ap_uint<CORE::digit * CORE::lanes * CORE::cols>>& words_b,
                                  hls::stream<ap_uint<counted<CORE>::width>>& sums_out,
                                  hls::stream<ap_uint<float_operands<CORE>::width>>& operands) {
  constexpr int digit = CORE::digit;
  using operands_t = float_operands<CORE>;
  using row_t = ap_uint<operands_t::rows>;
  using column_t = ap_uint<operands_t::cols>;
  static ap_uint<operands_t::rows> gathered_a = 0;
  static ap_uint<operands_t::cols> gathered_b = 0;
  static ap_uint<bits_for(CORE::lanes - 1)> element = 0;
  static ap_uint<bits_for(CORE::float_planes - 1)> plane = 0;

  const ap_uint<CORE::digit * CORE::lanes * CORE::rows + marks::width> a = words_a.read();
  const word_b<CORE> b = words_b.read();
  const marks mark = marks::of(a >> (digit * CORE::lanes * CORE::rows));

  row_t next_a = 0;
  for (int row = 0; row < CORE::rows; ++row) {
#pragma HLS unroll
    const ap_uint<digit * CORE::lanes> line = a >> (digit * CORE::lanes * row);
    const ap_uint<digit> d = line >> ap_uint<8>(element * digit);
    const ap_uint<32> before = gathered_a >> (32 * row);
    const ap_uint<32> number = (ap_uint<32>(d) << (32 - digit)) | (before >> digit);
    next_a |= row_t(number) << (32 * row);
  }
  column_t next_b = 0;
  for (int col = 0; col < CORE::cols; ++col) {
#pragma HLS unroll
    const ap_uint<digit> d = digit_of_b<CORE>(b, col, element);
    const ap_uint<32> before = gathered_b >> (32 * col);
    const ap_uint<32> number = (ap_uint<32>(d) << (32 - digit)) | (before >> digit);
    next_b |= column_t(number) << (32 * col);
  }

  const bool whole = mark.floats() && plane == CORE::float_planes - 1;
  if (whole) {
    operands_t out;
    out.a = next_a;
    out.b = next_b;
    out.first = mark.top_a;
    out.adds = mark.top_b;
    out.last = mark.last;
    operands.write(out.word());
  }
  if (!mark.floats() || mark.last) sums_out.write(counted_products<CORE>(a, b, mark));
  if (mark.floats()) {
    gathered_a = next_a;
    gathered_b = next_b;
    ++plane;  // float_planes is a power of two, and so is the number of elements
    if (whole) ++element;
  }
}

// `accumulate`, or: the results of a tile of fp32 come, `float_lanes` in a clock, and shift into the place of its sums.
template <class CORE>
HWGEN_INLINE void accumulate_or_collect(hls::stream<ap_uint<counted<CORE>::width>>& sums_in,
                                        hls::stream<ap_uint<32 * CORE::float_lanes>>& results,
                                        hls::stream<ap_uint<CORE::sum_bits * CORE::rows * CORE::cols>>& tiles) {
  constexpr int units = CORE::rows * CORE::cols;
  constexpr int lanes = CORE::float_lanes;
  static ap_int<CORE::sum_bits> total[units] = {};
#pragma HLS array_partition variable = total complete
  static ap_uint<1> collects = 0;
  static ap_uint<bits_for(CORE::float_steps - 1)> step = 0;

  bool finished = false;
  if (collects) {
    const ap_uint<32 * lanes> word = results.read();
    for (int unit = 0; unit < units - lanes; ++unit) {
#pragma HLS unroll
      total[unit] = total[unit + lanes];
    }
    for (int lane = 0; lane < lanes; ++lane) {
#pragma HLS unroll
      const ap_int<32> pattern = word >> (32 * lane);
      total[units - lanes + lane] = pattern;
    }
    finished = step == CORE::float_steps - 1;
    step = finished ? ap_uint<bits_for(CORE::float_steps - 1)>(0) : ap_uint<bits_for(CORE::float_steps - 1)>(step + 1);
    collects = !finished;
  } else {
    const ap_uint<counted<CORE>::width> word = sums_in.read();
    const bool floats = word[0] && word[1];
    if (!floats) add_counted<CORE>(word, total);
    finished = word[2] && !floats;
    collects = floats;
  }
  if (finished) tiles.write(tile_of<CORE>(total));
}

}  // namespace trainer
}  // namespace hwgen
