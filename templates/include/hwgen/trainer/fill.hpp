// The fill stage: elements from scratch memory into digit planes of an operand memory, as they lie or transposed.
//
// Two kernels. `fill_read` runs the address generator: the rows (b, y, x) of a tensor in chunks of `lanes`, and for
// each chunk its k-groups (ky, kx, g), and for each of those its digits; a block is the `lanes` words of one chunk,
// k-group and digit. `fill_write` cuts the digit out of each word. As it lies, a word's digits are `lanes` steps along
// K of one operand row. An fp32 number has the digits of two words, of its low halves and of its high ones. Transposed,
// a block turns about its diagonal, so that the tensor's rows become steps along K: a square of digits is shifted in
// along one direction while the block before is shifted out, then along the other.
//
// For a decomposable array elements of two digits stay whole: a block has both digits, the low one first, of half of
// the elements. As they lie, these are half of a word; transposed, each of half of the chunk's words comes twice.
#pragma once

#include <hls_stream.h>

#include "hwgen/trainer/memory.hpp"

namespace hwgen {
namespace trainer {

// One step of a fill: what `fill_write` must know of the word that it is about to get.
template <class CORE>
struct fill_step {
  static constexpr int planes = CORE::float_lanes != 0 ? CORE::element_bits / CORE::digit : CORE::planes;
  static constexpr int digit_bits = bits_for(planes - 1);
  static constexpr int whole_bits = CORE::splits ? 1 : 0;
  static constexpr int width = 5 + whole_bits + digit_bits + 2 * CORE::plane_address + ticket::width + 32;
  ap_uint<1> to_b;
  ap_uint<1> turns;
  ap_uint<1> begins;  // a block
  ap_uint<1> flush;   // no word of the block's own: the last block is shifted out
  ap_uint<1> ends;    // the command
  ap_uint<1> whole;   // half of the elements as they are, not a digit of all
  ap_uint<digit_bits> digit;
  ap_uint<CORE::plane_address> block;   // address of the block's first rows
  ap_uint<CORE::plane_address> stride;  // to the next rows
  ap_uint<ticket::width> whose;
  steps_t steps;

  HWGEN_INLINE ap_uint<width> word() const {
    fields<width> f = fields<width>::none();
    f.put(to_b).put(turns).put(begins).put(flush).put(ends);
    if (CORE::splits) f.put(whole);
    f.put(digit).put(block).put(stride).put(whose).put(steps);
    return f.word;
  }
  static HWGEN_INLINE fill_step of(ap_uint<width> word) {
    fill_step s;
    fields<width> f = fields<width>::of(word);
    f.take(s.to_b).take(s.turns).take(s.begins).take(s.flush).take(s.ends);
    s.whole = 0;
    if (CORE::splits) f.take(s.whole);
    f.take(s.digit).take(s.block).take(s.stride).take(s.whose).take(s.steps);
    return s;
  }
};

// Counters of the row loops.
struct row_place {
  ap_uint<12> b, y, x;
  ap_uint<1> past;  // all rows are done
};

HWGEN_INLINE row_place next_row(row_place at, ap_uint<12> n_b, ap_uint<12> n_y, ap_uint<12> n_x) {
  const bool x_wraps = at.x + 1 == n_x;
  const bool y_wraps = x_wraps && at.y + 1 == n_y;
  row_place to;
  to.x = x_wraps ? ap_uint<12>(0) : ap_uint<12>(at.x + 1);
  to.y = y_wraps ? ap_uint<12>(0) : ap_uint<12>(at.y + ap_uint<1>(x_wraps));
  to.b = at.b + ap_uint<1>(y_wraps);
  to.past = at.past || (y_wraps && at.b + 1 == n_b);
  return to;
}

template <class CORE, class COMMANDS>
HWGEN_INLINE void fill_read(hls::stream<ap_uint<order::width>>& orders,
                            hls::stream<ap_uint<scratch_read<CORE>::width>>& reads,
                            hls::stream<ap_uint<fill_step<CORE>::width>>& steps_out) {
  using plane_at = ap_uint<CORE::plane_address>;
  using scratch_at = ap_uint<CORE::scratch_address>;
  using lane_t = ap_uint<bits_for(CORE::lanes - 1)>;
  static ap_uint<1> active = 0;
  static ap_uint<order::width> current = 0;
  static row_place first = {};  // of the chunk
  static row_place row = {};
  static lane_t lane = 0;
  static ap_uint<12> chunk = 0;
  static ap_uint<6> ky = 0, kx = 0;
  static ap_uint<10> group = 0;
  static ap_uint<12> k = 0;
  static ap_uint<fill_step<CORE>::digit_bits> digit = 0;
  static ap_uint<1> high = 0;  // half of an fp32 number
  static ap_uint<1> flushing = 0;
  static steps_t steps = 0;

  const order o = order::of(active ? current : orders.read());
  if (!active) {
    current = o.word();
    active = 1;
    first = row_place{0, 0, 0, 0};
    row = first;
    lane = 0;
    chunk = 0;
    ky = 0;
    kx = 0;
    group = 0;
    k = 0;
    digit = 0;
    high = 0;
    flushing = 0;
    steps = 0;
    return;
  }
  const typename COMMANDS::fill c = COMMANDS::fill::of(o.command);

  // The word of this row and k-group, if it is inside the tensor.
  const ap_int<18> y = ap_int<18>(ap_uint<16>(row.y * c.step)) + ky + c.offset_y;
  const ap_int<18> x = ap_int<18>(ap_uint<16>(row.x * c.step)) + kx + c.offset_x;
  scratch_read<CORE> read;
  read.inside = !flushing && !row.past && y >= 0 && x >= 0 && y < ap_int<18>(c.limit_y) && x < ap_int<18>(c.limit_x);
  const scratch_at from_b = scratch_at(row.b) * scratch_at(c.s_b);
  const scratch_at from_y = scratch_at(y) * scratch_at(c.s_y);
  const scratch_at from_x = scratch_at(x) * scratch_at(c.s_x);
  const bool floats = CORE::float_lanes != 0 && c.floats;
  const scratch_at along_row = floats ? scratch_at((scratch_at(group) << 1) | high) : scratch_at(group);
  read.address = scratch_at(c.source) + from_b + from_y + from_x + along_row;
  reads.write(read.word());

  constexpr int of_half = CORE::element_bits / CORE::digit;
  const ap_uint<5> cut = floats ? ap_uint<5>(of_half) : ap_uint<5>((c.width + (CORE::digit - 1)) / CORE::digit);
  const ap_uint<6> planes = floats ? ap_uint<6>(2 * of_half) : ap_uint<6>(cut);
  const bool pairs = CORE::splits && !floats && cut == 2;
  const bool lane_wraps = lane == CORE::lanes - 1;
  const bool digit_wraps = lane_wraps && digit + 1 == cut;
  const bool element_wraps = digit_wraps && (!floats || high);
  const bool group_wraps = element_wraps && group + 1 == c.n_g;
  const bool kx_wraps = group_wraps && kx + 1 == c.n_kx;
  const bool k_wraps = kx_wraps && ky + 1 == c.n_ky;
  const row_place after = next_row(row, c.n_b, c.n_y, c.n_x);
  const bool finished = k_wraps && after.past;
  const bool last = flushing ? lane_wraps : finished && !c.transpose;

  if (!flushing) ++steps;
  fill_step<CORE> s;
  s.to_b = c.target;
  s.turns = c.transpose;
  s.begins = lane == 0;
  s.flush = flushing;
  s.ends = last;
  s.whole = pairs && !c.transpose;
  s.digit = pairs && c.transpose ? ap_uint<fill_step<CORE>::digit_bits>(ap_uint<1>(lane)) : digit;
  const plane_at blocks = c.transpose ? plane_at(k) : plane_at(chunk);  // along the operand's rows
  const plane_at along = c.transpose ? plane_at(chunk) : plane_at(k);   // along K
  const plane_at rows_apart = plane_at(c.kgs) * plane_at(planes);
  const plane_at tiles = c.target ? plane_at(blocks * plane_at(CORE::lanes / CORE::cols))
                                  : plane_at(blocks * plane_at(CORE::lanes / CORE::rows));
  s.block = plane_at(c.dest) + tiles * rows_apart + along * plane_at(planes) + plane_at(digit);
  if (floats && high) s.block += plane_at(of_half);
  s.stride = rows_apart;
  s.whose = o.whose;
  s.steps = steps;
  steps_out.write(s.word());

  // The words of a transposed block of pairs are of half a chunk, each twice; the next block has the other half.
  const bool twice = pairs && c.transpose;
  if (lane_wraps && !k_wraps && !(twice && !digit_wraps)) {
    row = first;
  } else if (!twice || ap_uint<1>(lane)) {
    row = after;
  }
  ++lane;
  if (k_wraps) first = after;
  if (lane_wraps)
    digit = digit_wraps ? ap_uint<fill_step<CORE>::digit_bits>(0) : ap_uint<fill_step<CORE>::digit_bits>(digit + 1);
  if (digit_wraps && floats) high = !high;
  if (element_wraps) {
    k = k_wraps ? ap_uint<12>(0) : ap_uint<12>(k + 1);
    group = group_wraps ? ap_uint<10>(0) : ap_uint<10>(group + 1);
  }
  if (group_wraps) kx = kx_wraps ? ap_uint<6>(0) : ap_uint<6>(kx + 1);
  if (kx_wraps) ky = k_wraps ? ap_uint<6>(0) : ap_uint<6>(ky + 1);
  if (k_wraps) ++chunk;
  if (finished) flushing = 1;
  if (last) active = 0;
}

// The request that writes line `place` of a block to a memory of ROWS banks, if it writes, and ends the command, if it
// is the last.
template <class CORE, int ROWS>
HWGEN_INLINE ap_uint<plane_write<CORE, ROWS>::request::width> block_line(fill_step<CORE> s,
                                                                         ap_uint<bits_for(CORE::lanes - 1)> place,
                                                                         ap_uint<CORE::plane_address> block,
                                                                         bool writes,
                                                                         ap_uint<CORE::digit * CORE::lanes> digits) {
  using plane_at = ap_uint<CORE::plane_address>;
  const plane_at at = block + plane_at(place / ROWS) * s.stride;
  typename plane_write<CORE, ROWS>::request w;
  w.writes = writes;
  w.ends = s.ends;
  w.address = (ap_uint<32>(place % ROWS) << CORE::plane_address) | at;
  w.data = digits;
  w.end = done::with(s.whose, code::ok, s.steps).word();
  return w.word();
}

template <class CORE>
HWGEN_INLINE void fill_write(hls::stream<ap_uint<fill_step<CORE>::width>>& steps,
                             hls::stream<ap_uint<CORE::element_bits * CORE::lanes>>& words,
                             hls::stream<ap_uint<plane_write<CORE, CORE::rows>::request::width>>& writes_a,
                             hls::stream<ap_uint<plane_write<CORE, CORE::cols>::request::width>>& writes_b) {
  constexpr int lanes = CORE::lanes;
  constexpr int digit = CORE::digit;
  constexpr int line = lanes * digit;
  using plane_at = ap_uint<CORE::plane_address>;
  static ap_uint<line> square[lanes] = {};  // rows of digits
#pragma HLS array_partition variable = square complete
  static ap_uint<1> sideways = 0;
  static ap_uint<1> holds_block = 0;  // the square is full
  static plane_at held = 0;           // where the block in the square goes
  static plane_at next = 0;
  static ap_uint<bits_for(lanes - 1)> place = 0;

  const fill_step<CORE> s = fill_step<CORE>::of(steps.read());
  const ap_uint<CORE::element_bits * lanes> word = words.read();

  ap_uint<line> digits = 0;
  for (int lane = 0; lane < lanes; ++lane) {
#pragma HLS unroll
    const ap_uint<CORE::element_bits> element = word >> (CORE::element_bits * lane);
    const ap_uint<digit> d = element >> ap_uint<5>(s.digit * digit);
    digits |= ap_uint<line>(d) << (digit * lane);
  }
  if (CORE::splits && s.whole) digits = s.digit == 0 ? word : word >> line;

  // Where a block begins, the one before becomes the one that leaves.
  if (s.begins) {
    held = next;
    next = s.block;
    place = 0;
    sideways = s.turns ? ap_uint<1>(!sideways) : ap_uint<1>(0);
  }

  ap_uint<line> leaving = 0;
  for (int lane = 0; lane < lanes; ++lane) {
#pragma HLS unroll
    const ap_uint<digit> d = sideways ? ap_uint<digit>(square[lane]) : ap_uint<digit>(square[0] >> (digit * lane));
    leaving |= ap_uint<line>(d) << (digit * lane);
  }
  if (s.turns) {
    for (int lane = 0; lane < lanes; ++lane) {
#pragma HLS unroll
      const ap_uint<digit> mine = digits >> (digit * lane);
      const ap_uint<line> below = lane + 1 < lanes ? square[smaller(lane + 1, lanes - 1)] : digits;
      const ap_uint<line> beside = (square[lane] >> digit) | (ap_uint<line>(mine) << (line - digit));
      square[lane] = sideways ? beside : below;
    }
  }

  const plane_at block = s.turns ? held : s.block;
  const bool writes = !s.turns || holds_block;
  const ap_uint<line> out = s.turns ? leaving : digits;
  if (writes || s.ends) {
    if (s.to_b) {
      writes_b.write(block_line<CORE, CORE::cols>(s, place, block, writes, out));
    } else {
      writes_a.write(block_line<CORE, CORE::rows>(s, place, block, writes, out));
    }
  }
  if (place == lanes - 1) holds_block = s.turns && !s.flush;
  ++place;
}

}  // namespace trainer
}  // namespace hwgen
