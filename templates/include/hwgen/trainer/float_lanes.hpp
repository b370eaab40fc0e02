// The float lanes: sums of products of fp32 numbers, one element of K after the other, each step rounded once.
//
//   s = fma(a, b, s), to nearest even, for every row and column of a tile
//
// Sums go round. `float_steps` sends each one out with its operands, `float_lanes` columns of one row in a clock; they
// come back from `float_multiply_add` in the same order, and are what the next element of K is added to. So no kernel
// both keeps a sum and computes it, and the multiply-adders may have as many stages as their clock needs: as long as a
// round takes longer than the way through them, they work in every clock.
#pragma once

#include <hls_stream.h>

#include "hwgen/fma.hpp"
#include "hwgen/trainer/float_gather.hpp"
#include "hwgen/trainer/fp32.hpp"

namespace hwgen {
namespace trainer {

// What the lanes multiply and add in one clock.
template <class CORE>
struct float_products {
  static constexpr int several = 32 * CORE::float_lanes;
  static constexpr int width = 32 + 2 * several + 1;
  ap_uint<32> a;
  ap_uint<several> b;
  ap_uint<several> sums;
  ap_uint<1> last;  // what comes out are results

  HWGEN_INLINE ap_uint<width> word() const { return fields<width>::none().put(a).put(b).put(sums).put(last).word; }
  static HWGEN_INLINE float_products of(ap_uint<width> word) {
    float_products p;
    fields<width>::of(word).take(p.a).take(p.b).take(p.sums).take(p.last);
    return p;
  }
};

// Asks for the rows that the sums of a tile begin with. Each request goes with a step, of which only so many fit their
// channel; the words that answer them have more room, so result memory never waits.
template <class CORE>
HWGEN_INLINE void float_addends(hls::stream<ap_uint<addend_place<CORE>::width>>& places,
                                hls::stream<ap_uint<CORE::result_address>>& reads, hls::stream<ap_uint<1>>& steps) {
  static ap_uint<bits_for(CORE::rows - 1)> row = 0;
  static ap_uint<CORE::result_address> address = 0, pitch = 0;
  if (row == 0) {
    const addend_place<CORE> place = addend_place<CORE>::of(places.read());
    address = place.address;
    pitch = place.pitch;
  }
  steps.write(1);
  reads.write(address);
  address += pitch;
  row = row == CORE::rows - 1 ? ap_uint<bits_for(CORE::rows - 1)>(0) : ap_uint<bits_for(CORE::rows - 1)>(row + 1);
}

template <class CORE>
HWGEN_INLINE void float_steps(hls::stream<ap_uint<float_operands<CORE>::width>>& operands,
                              hls::stream<ap_uint<1>>& addend_steps,
                              hls::stream<ap_uint<CORE::result_bits * CORE::cols>>& addends,
                              hls::stream<ap_uint<32 * CORE::float_lanes>>& sums,
                              hls::stream<ap_uint<float_products<CORE>::width>>& products) {
  constexpr int several = 32 * CORE::float_lanes;
  constexpr int parts = CORE::cols / CORE::float_lanes;  // clocks of a row
  using row_t = ap_uint<float_operands<CORE>::cols>;
  static ap_uint<float_operands<CORE>::width> held = 0;
  static ap_uint<bits_for(CORE::rows - 1)> row = 0;
  static ap_uint<bits_for(parts - 1)> part = 0;
  static row_t begin = 0;  // what the sums of the row begin with

  float_operands<CORE> o = float_operands<CORE>::of(row == 0 && part == 0 ? operands.read() : held);
  if (o.first && part == 0) {
    begin = 0;
    if (o.adds) {
      addend_steps.read();
      const ap_uint<CORE::result_bits * CORE::cols> word = addends.read();
      for (int col = 0; col < CORE::cols; ++col) {
#pragma HLS unroll
        begin |= row_t(ap_uint<32>(word >> (CORE::result_bits * col))) << (32 * col);
      }
    }
  }
  float_products<CORE> out;
  out.a = o.a;
  out.b = o.b;
  out.sums = begin;
  if (!o.first) out.sums = sums.read();
  out.last = o.last;
  products.write(out.word());

  // The next columns; behind the last ones the first come again, and the next row.
  const bool part_wraps = part == parts - 1;
  o.b = (o.b >> several) | (o.b << (float_operands<CORE>::cols - several));
  if (part_wraps) o.a >>= 32;
  begin >>= several;
  held = o.word();
  part = part_wraps ? ap_uint<bits_for(parts - 1)>(0) : ap_uint<bits_for(parts - 1)>(part + 1);
  if (part_wraps) {
    row = row == CORE::rows - 1 ? ap_uint<bits_for(CORE::rows - 1)>(0) : ap_uint<bits_for(CORE::rows - 1)>(row + 1);
  }
}

// Nothing is kept from one clock to the next, so this can be pipelined.
template <class CORE>
HWGEN_INLINE void float_multiply_add(hls::stream<ap_uint<float_products<CORE>::width>>& products,
                                     hls::stream<ap_uint<32 * CORE::float_lanes>>& sums,
                                     hls::stream<ap_uint<32 * CORE::float_lanes>>& results) {
  using word_t = ap_uint<32 * CORE::float_lanes>;
  const float_products<CORE> p = float_products<CORE>::of(products.read());
  word_t out = 0;
  for (int lane = 0; lane < CORE::float_lanes; ++lane) {
#pragma HLS unroll
    const ap_uint<32> b = p.b >> (32 * lane);
    const ap_uint<32> sum = p.sums >> (32 * lane);
    out |= word_t(fma<fp32_t, fp32_t, fp32_t, fp32_t, fp32_rounding>(p.a, b, sum)) << (32 * lane);
  }
  if (p.last) {
    results.write(out);
  } else {
    sums.write(out);
  }
}

}  // namespace trainer
}  // namespace hwgen
