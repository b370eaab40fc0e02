// What happens to results on their way out: bias, mask, relu, and rounding to integers that share an exponent.
#pragma once

#include <hls_stream.h>

#include "hwgen/trainer/beat.hpp"
#include "hwgen/trainer/requantise.hpp"
#include "hwgen/trainer/store.hpp"

namespace hwgen {
namespace trainer {

namespace line_kind {
enum { nothing, results, bytes, halves, gradients, squares, sums, numbers };
}

// What is left of a result word: nothing, `cols` results of 64 bits, `cols` integers of 8 or 16, or `cols` results that
// are gradients, to update by, to be squared, or to be added to sums, or fp32 numbers to update by; from the update
// unit, four weights and their momenta, or four sums. With the last one of a command comes its end.
template <class CORE>
struct line {
  static constexpr int data = 64 * CORE::cols;
  static constexpr int width = 5 + data + CORE::exponent_bits + 4 + ticket::width + payload_bits;
  ap_uint<3> kind;
  ap_uint<1> first;  // of its command
  ap_uint<1> last;
  ap_uint<data> content;
  ap_int<CORE::exponent_bits> exponent;  // of gradients
  code_t found;                          // what became of the frame of weights
  ap_uint<ticket::width> whose;
  payload_t payload;

  HWGEN_INLINE ap_uint<width> word() const {
    fields<width> f = fields<width>::none();
    f.put(kind).put(first).put(last).put(content).put(ap_uint<CORE::exponent_bits>(exponent));
    return f.put(found).put(whose).put(ap_uint<payload_bits>(payload)).word;
  }
  static HWGEN_INLINE line of(ap_uint<width> word) {
    line l;
    fields<width> f = fields<width>::of(word);
    f.take(l.kind).take(l.first).take(l.last).take(l.content).take(l.exponent);
    f.take(l.found).take(l.whose).take(l.payload);
    return l;
  }
};

template <class CORE>
HWGEN_INLINE void post(hls::stream<ap_uint<store_step<CORE>::width>>& steps,
                       hls::stream<ap_uint<CORE::result_bits * CORE::cols>>& words,
                       hls::stream<ap_uint<line<CORE>::width>>& lines) {
  constexpr int cols = CORE::cols;
  constexpr int bits = CORE::result_bits;
  using word_t = ap_uint<bits * cols>;
  using value_t = ap_int<bits + 1>;  // a result and a bias
  using number = fixed_format<bits + 1, 0, true>;
  static word_t biases[CORE::bias_words];
#pragma HLS bind_storage variable = biases type = ram_s2p
  static ap_uint<cols> masks[CORE::mask_words];
#pragma HLS bind_storage variable = masks type = ram_s2p
  static value_t highest = 0, lowest = 0;
  static ap_int<CORE::exponent_bits> kept = 0;
  static ap_uint<20> saturated = 0;
  static ap_uint<CORE::lfsr_width> generator = CORE::store_seed();
#pragma HLS reset variable = generator

  const store_step<CORE> s = store_step<CORE>::of(steps.read());
  const word_t word = words.read();
  const word_t bias = biases[s.bias_at];
  if (s.to_bias) biases[s.bias_at] = word;

  value_t v[cols];
  ap_uint<cols> positive = 0;
  const ap_uint<cols> mask = masks[s.mask];
  for (int col = 0; col < cols; ++col) {
#pragma HLS unroll
    const ap_int<bits> result = word >> (bits * col);
    const ap_int<bits> more = bias >> (bits * col);
    const value_t sum = value_t(result) + (s.bias ? more : ap_int<bits>(0));
    const bool kept_by_mask = !s.apply_mask || mask[col];
    const value_t masked = kept_by_mask ? sum : value_t(0);
    positive[col] = sum > 0;  // a command that saves a mask applies none
    v[col] = s.relu && !(masked > 0) ? value_t(0) : masked;
  }
  if (s.save_mask && !s.to_bias) masks[s.mask] = positive;

  // The greatest and the least value so far, and 0.
  const extremes<bits + 1> here = extremes<bits + 1>::among(v);
  const extremes<bits + 1> all = here.with(s.first ? value_t(0) : highest, s.first ? value_t(0) : lowest);
  highest = all.greatest;
  lowest = all.least;
  const ap_int<CORE::exponent_bits> measured =
      chosen_exponent<CORE>(asked_by<bits + 1>(ap_uint<bits + 1>(all.greatest), false, s.bits, 0),
                            asked_by<bits + 1>(ap_uint<bits + 1>(-all.least), true, s.bits, 0));
  const ap_int<CORE::exponent_bits> e = s.take ? kept : s.e;
  const bool measures = !s.to_bias && s.mode == store_mode::measure;
  const bool rounds = !s.to_bias && s.mode == store_mode::integers;
  if (measures && s.last) kept = measured;

  const random_words<CORE, cols> random = random_words<CORE, cols>::from(generator, rounds);
  line<CORE> out;
  ap_uint<line<CORE>::data> whole = 0, bytes = 0, halves = 0;
  ap_uint<bits_for(cols)> beyond = 0;
  for (int col = 0; col < cols; ++col) {
#pragma HLS unroll
    const rounded_element<CORE> q = requantised<CORE, number>(ap_uint<bits + 1>(v[col]), e, s.bits, random.of[col]);
    beyond += q.saturated;
    whole |= ap_uint<line<CORE>::data>(ap_uint<64>(ap_int<64>(v[col]))) << (64 * col);
    bytes |= ap_uint<line<CORE>::data>(ap_uint<8>(q.value)) << (8 * col);
    halves |= ap_uint<line<CORE>::data>(ap_uint<16>(q.value)) << (16 * col);
  }
  const ap_uint<20> so_far = (s.first ? ap_uint<20>(0) : saturated) + beyond;
  saturated = so_far;

  const bool numbers = CORE::float_lanes != 0 && s.halves;
  out.kind = s.to_bias || measures             ? line_kind::nothing
             : s.mode == store_mode::gradients ? (numbers ? line_kind::numbers : line_kind::gradients)
             : s.mode == store_mode::squares   ? line_kind::squares
             : s.mode == store_mode::sums      ? line_kind::sums
             : !rounds                         ? line_kind::results
             : s.halves                        ? line_kind::halves
                                               : line_kind::bytes;
  out.first = s.first;
  out.last = s.last;
  out.exponent = s.e;
  out.found = code::ok;
  out.content = !rounds ? whole : s.halves ? halves : bytes;
  out.whose = s.whose;
  out.payload = measures ? payload_t(measured)
                : rounds ? payload_t((payload_t(measured) << count_bits) | so_far)
                         : payload_t(0);
  lines.write(out.word());
}

constexpr int store_end_way = 4;  // clocks from the end of a command until the sequencer hears of it

// Lines as beats, the first element lowest. Integers gather until they fill a beat, whose rest is zeros at the end of a
// frame.
template <class CORE>
HWGEN_INLINE void pack(hls::stream<ap_uint<line<CORE>::width>>& lines, hls::stream<beat_t>& beats,
                       hls::stream<ap_uint<done::width>>& ends) {
  constexpr int beats_of_results = 64 * CORE::cols / beat_bits;
  static ap_uint<line<CORE>::width> held = 0;
  static ap_uint<bits_for(beats_of_results)> left = 0;  // beats of the held line still to go
  static ap_uint<line<CORE>::data> rest = 0;
  static ap_uint<beat_bits> gathered = 0;
  static ap_uint<bits_for(beat_bits / 8)> filled = 0;  // bytes of a beat of integers
  static steps_t steps = 0;
  // Clocks without work since a command has ended, as if one had before the first. What is held up does not count.
  static waits_t waits = store_end_way;

  const bool fresh = left == 0;
  ap_uint<line<CORE>::width> next = held;
  if (fresh && !lines.read_nb(next)) {
    ++waits;
    return;
  }
  held = next;
  const line<CORE> l = line<CORE>::of(next);
  const bool of_weights = l.kind == line_kind::gradients;
  const bool several = of_weights || l.kind == line_kind::results;
  const ap_uint<line<CORE>::data> content = fresh ? l.content : rest;
  if (several) {
    const int all = of_weights ? 2 : beats_of_results;
    left = fresh ? all - 1 : int(left) - 1;
  }
  rest = content >> beat_bits;

  const ap_uint<5> bytes = l.kind == line_kind::sums     ? beat_bits / 8
                           : l.kind == line_kind::halves ? 2 * CORE::cols
                           : l.kind == line_kind::bytes  ? CORE::cols
                                                         : 0;
  const ap_uint<beat_bits> low = content;
  const ap_uint<beat_bits> together = gathered | (low << (ap_uint<8>(filled) << 3));
  const ap_uint<6> now = ap_uint<6>(filled) + bytes;
  const bool full = bytes != 0 && (now == beat_bits / 8 || l.last);

  const bool ends_command = l.last && (!several || left == 0);
  const bool sends = several || full;
  if (sends) {
    beat_t beat;
    beat.data = several ? low : together;
    beat.keep = -1;
    beat.strb = -1;
    beat.last = ends_command;
    beats.write(beat);
  }
  if (bytes != 0) {
    gathered = full ? ap_uint<beat_bits>(0) : together;
    filled = full ? ap_uint<6>(0) : now;
  }
  const bool works = sends || l.kind == line_kind::nothing;
  const steps_t counted = steps + ap_uint<1>(works);
  const waits_t waited = waits + ap_uint<1>(!works);
  steps = ends_command ? steps_t(0) : counted;
  waits = ends_command ? waits_t(0) : waited;
  if (ends_command) {
    ends.write(done::with(l.whose, l.found, counted, l.payload, waited).word());
  }
}

}  // namespace trainer
}  // namespace hwgen
