// From the array to result memory: a tile leaves row by row while the array works on the next one.
#pragma once

#include <hls_stream.h>

#include "hwgen/trainer/multiply.hpp"

namespace hwgen {
namespace trainer {

// A row of a tile on its way.
template <class CORE>
struct tile_row {
  static constexpr int data = CORE::sum_bits * CORE::cols;
  static constexpr int width = data + CORE::result_address + 2 + ticket::width + 32;
  ap_uint<data> sums;
  ap_uint<CORE::result_address> address;
  ap_uint<1> accumulates;
  ap_uint<1> ends;
  ap_uint<ticket::width> whose;
  steps_t steps;

  HWGEN_INLINE ap_uint<width> word() const {
    return fields<width>::none().put(sums).put(address).put(accumulates).put(ends).put(whose).put(steps).word;
  }
  static HWGEN_INLINE tile_row of(ap_uint<width> word) {
    tile_row t;
    fields<width>::of(word).take(t.sums).take(t.address).take(t.accumulates).take(t.ends).take(t.whose).take(t.steps);
    return t;
  }
};

// Takes a tile apart, and asks for what its rows are added to.
template <class CORE>
HWGEN_INLINE void drain(hls::stream<ap_uint<CORE::sum_bits * CORE::rows * CORE::cols>>& tiles,
                        hls::stream<ap_uint<tile_place<CORE>::width>>& places,
                        hls::stream<ap_uint<CORE::result_address>>& reads,
                        hls::stream<ap_uint<tile_row<CORE>::width>>& rows) {
  using tile_t = ap_uint<CORE::sum_bits * CORE::rows * CORE::cols>;
  static ap_uint<bits_for(CORE::rows - 1)> row = 0;
  static tile_t rest = 0;
  static ap_uint<tile_place<CORE>::width> held = 0;
  static ap_uint<CORE::result_address> address = 0;
  if (row == 0) {
    rest = tiles.read();
    held = places.read();
    address = tile_place<CORE>::of(held).address;
  }
  const tile_place<CORE> place = tile_place<CORE>::of(held);
  tile_row<CORE> out;
  out.sums = rest;
  out.address = address;
  out.accumulates = place.accumulates;
  out.ends = place.ends && row == CORE::rows - 1;
  out.whose = place.whose;
  out.steps = place.steps;
  rows.write(out.word());
  if (place.accumulates) reads.write(address);
  rest >>= CORE::sum_bits * CORE::cols;
  address += place.pitch;
  if (row == CORE::rows - 1) {
    row = 0;
  } else {
    ++row;
  }
}

// Adds a row to what is there, saturates it to the width of results, and writes it back.
template <class CORE>
HWGEN_INLINE void add_row(hls::stream<ap_uint<tile_row<CORE>::width>>& rows,
                          hls::stream<ap_uint<CORE::result_bits * CORE::cols>>& words,
                          hls::stream<ap_uint<result_write<CORE>::width>>& writes) {
  constexpr int bits = CORE::result_bits;
  constexpr int wide = larger(bits, CORE::sum_bits) + 1;
  using word_t = ap_uint<bits * CORE::cols>;
  static ap_uint<1> overflowed = 0;  // in a row of this command before
  const tile_row<CORE> row = tile_row<CORE>::of(rows.read());
  word_t old = 0;
  if (row.accumulates) old = words.read();

  word_t results = 0;
  ap_uint<1> beyond = 0;
  for (int col = 0; col < CORE::cols; ++col) {
#pragma HLS unroll
    const ap_int<CORE::sum_bits> sum = row.sums >> (CORE::sum_bits * col);
    const ap_int<bits> before = old >> (bits * col);
    const ap_int<wide> exact = ap_int<wide>(sum) + before;
    const ap_int<wide> above = exact >> (bits - 1);  // all copies of the sign, if it fits
    const ap_uint<1> negative = exact < 0;
    const ap_uint<1> over = !(above == 0 || above == -1);
    const ap_uint<bits> largest = ap_uint<bits>(~ap_uint<bits>(0)) >> 1;
    const ap_uint<bits> limit = negative ? ap_uint<bits>(~largest) : largest;
    const ap_uint<bits> result = over ? limit : ap_uint<bits>(exact);
    beyond |= over;
    results |= word_t(result) << (bits * col);
  }

  const ap_uint<1> any = overflowed | beyond;
  const done end = done::with(row.whose, any ? code_t(code::overflow) : code_t(code::ok), row.steps);
  result_write<CORE> out;
  out.writes = 1;
  out.ends = row.ends;
  out.address = row.address;
  out.data = results;
  out.end = end.word();
  writes.write(out.word());
  overflowed = row.ends ? ap_uint<1>(0) : any;
}

}  // namespace trainer
}  // namespace hwgen
