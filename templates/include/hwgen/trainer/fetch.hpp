// The fetch stage: a frame of the data stream into scratch memory, as integers, or into result memory.
//
// A frame holds integers of 8 or 16 bits, or fp32 numbers that are rounded to integers under a shared exponent, or, in
// a first pass, measured for it, or, for float lanes, kept; or 64-bit integers for result memory. It must be exactly as
// long as its command says. One that ends early, runs on, stops, or holds what is no number is an error of that
// command: what it wrote in its own target stays, nothing else changes, and the stage is ready for the next frame.
#pragma once

#include <hls_stream.h>

#include "hwgen/trainer/beat.hpp"
#include "hwgen/trainer/fp32.hpp"
#include "hwgen/trainer/memory.hpp"
#include "hwgen/trainer/requantise.hpp"

namespace hwgen {
namespace trainer {

constexpr int fetch_end_way = 8;   // clocks from the end of a command until the sequencer hears of it
constexpr int patience_bits = 16;  // a frame without a beat for 2^16 clocks has stopped

// The COUNT elements of BITS bits of a beat as 16-bit integers.
template <class CORE, int BITS>
HWGEN_INLINE ap_uint<CORE::element_bits * CORE::lanes> widened(ap_uint<beat_bits> beat) {
  constexpr int element = CORE::element_bits;
  constexpr int count = smaller(beat_bits / BITS, CORE::lanes);
  ap_uint<element * CORE::lanes> word = 0;
  for (int i = 0; i < count; ++i) {
#pragma HLS unroll
    const ap_int<BITS> narrow = beat >> (BITS * i);
    word |= ap_uint<element * CORE::lanes>(ap_uint<element>(ap_int<element>(narrow))) << (element * i);
  }
  return word;
}

// Four fp32 numbers.
constexpr int floats_per_beat = beat_bits / fp32_t::width;

// What the numbers of a beat ask for on either side: the magnitudes of the largest ones, as patterns, which order like
// the numbers; and whether all are finite.
struct float_extremes {
  ap_uint<31> positive;
  ap_uint<31> negative;

  HWGEN_INLINE float_extremes with(ap_uint<beat_bits> beat) const {
    float_extremes e = *this;
    for (int i = 0; i < floats_per_beat; ++i) {
#pragma HLS unroll
      const ap_uint<31> magnitude = beat >> (32 * i);
      const bool below = beat[32 * i + 31];
      if (!below && magnitude > e.positive) e.positive = magnitude;
      if (below && magnitude > e.negative) e.negative = magnitude;
    }
    return e;
  }
  static HWGEN_INLINE bool finite(ap_uint<beat_bits> beat) {
    bool all = true;
    for (int i = 0; i < floats_per_beat; ++i) {
#pragma HLS unroll
      const ap_uint<8> exponent = beat >> (32 * i + 23);
      all = all && exponent != 255;
    }
    return all;
  }
};

// The exponent that an fp32 magnitude asks for, as an integer of 24 bits times a power of two.
HWGEN_INLINE ap_int<12> float_asks(ap_uint<31> magnitude, bool negative, ap_uint<5> width) {
  const ap_uint<8> exponent = magnitude >> 23;
  const ap_uint<24> significand = (ap_uint<24>(exponent != 0) << 23) | ap_uint<23>(magnitude);
  const ap_int<12> lsb = ap_int<12>(exponent == 0 ? ap_uint<8>(1) : exponent) - 150;
  return asked_by<24>(significand, negative, width, lsb);
}

// A beat of weights and one of momenta; of a norm the second one only. `code` says what became of the frame with its
// last beats.
struct master_pair {
  static constexpr int width = 2 * beat_bits + 4;
  ap_uint<beat_bits> w;
  ap_uint<beat_bits> m;
  code_t code;

  HWGEN_INLINE ap_uint<width> word() const { return fields<width>::none().put(w).put(m).put(code).word; }
  static HWGEN_INLINE master_pair of(ap_uint<width> word) {
    master_pair p;
    fields<width>::of(word).take(p.w).take(p.m).take(p.code);
    return p;
  }
};

// `COMMANDS` knows where the fields of commands are.
template <class CORE, class COMMANDS>
HWGEN_INLINE void fetch(hls::stream<ap_uint<order::width>>& orders, hls::stream<beat_t>& beats,
                        hls::stream<ap_uint<scratch_write<CORE>::width>>& writes,
                        hls::stream<ap_uint<result_write<CORE>::width>>& loads,
                        hls::stream<ap_uint<master_pair::width>>& masters) {
  static_assert(CORE::lanes == 16, "a beat of 16 bytes is a word of 16 elements");
  constexpr int element_word = CORE::element_bits * CORE::lanes;
  constexpr int result_word = CORE::result_bits * CORE::cols;
  using word_t = ap_uint<element_word>;
  using result_at = ap_uint<CORE::result_address>;
  enum { idle, reading, discarding, forwarding, padding, closing };
  enum { bytes, halves, floats, results };  // what a frame holds
  static ap_uint<3> state = idle;
  static ap_uint<ticket::width> whose = 0;
  static ap_uint<2> holds = bytes;
  static ap_uint<1> measures = 0;
  static ap_uint<1> keeps = 0;         // fp32 numbers, as they are: a word of low halves, one of high halves
  static word_t gathered_high = 0;     // the high halves
  static ap_uint<1> high_waits = 0;    // they are whole, and go in this clock
  static ap_uint<1> updates = 0;       // the frame is passed on to the update unit
  static ap_uint<32> to_pass = 0;      // its beats still to go
  static code_t cut_short = code::ok;  // why zeros are passed instead
  static ap_uint<5> width = 0;
  static ap_int<CORE::exponent_bits> e = 0;
  static ap_uint<4> last_part = 0, part = 0;  // beats of a word
  static word_t gathered = 0;
  static ap_uint<result_word> gathered_results = 0;
  static ap_uint<16> address = 0;
  static ap_uint<17> left = 0;  // words
  static result_at row = 0, pitch = 0;
  static ap_uint<12> words_a_row = 0, left_in_row = 0;
  static steps_t steps = 0;
  // Clocks without work since a command has ended, as if one had before the first. What is held up does not count.
  static waits_t waits = fetch_end_way;
  static ap_uint<patience_bits> waited = 0;
  static ap_uint<1> broken = 0;  // a number before was not finite
  static ap_uint<1> beyond = 0;  // a result before saturated
  static ap_uint<20> saturated = 0;
  static float_extremes seen = {};
  static ap_int<CORE::exponent_bits> kept = 0;
  static ap_uint<CORE::lfsr_width> generator = CORE::fetch_seed();
#pragma HLS reset variable = generator

  if (state == idle) {
    ap_uint<order::width> arrived_order = 0;
    ++waits;
    if (!orders.read_nb(arrived_order)) return;
    const order o = order::of(arrived_order);
    const typename COMMANDS::fetch c = COMMANDS::fetch::of(o.command);
    const typename COMMANDS::load l = COMMANDS::load::of(o.command);
    const typename COMMANDS::update u = COMMANDS::update::of(o.command);
    const bool loads_results = ticket::of(o.whose).opcode == operation::load;
    const bool norms = ticket::of(o.whose).opcode == operation::norm;
    updates = norms || ticket::of(o.whose).opcode == operation::update;
    to_pass = ap_uint<32>(u.rows * u.words) * (norms ? CORE::cols / 4 : CORE::cols / 2);
    whose = o.whose;
    keeps = CORE::float_lanes != 0 && !loads_results && !updates && c.container == 3;
    holds = loads_results ? ap_uint<2>(results)
            : updates     ? ap_uint<2>(halves)
            : keeps       ? ap_uint<2>(bytes)
                          : ap_uint<2>(c.container);
    measures = !loads_results && !updates && c.measure;
    width = c.width;
    e = c.take ? kept : ap_int<CORE::exponent_bits>(c.exponent);
    last_part = loads_results                                 ? CORE::cols / 2 - 1
                : norms || (!updates && c.container == bytes) ? 0
                : updates || c.container == halves            ? 1
                                                              : 3;
    part = 0;
    address = loads_results ? l.c : c.base;
    left = loads_results ? ap_uint<17>(l.rows) : keeps ? ap_uint<17>(c.words >> 1) : ap_uint<17>(c.words);
    row = l.c;
    pitch = l.pitch;
    words_a_row = l.words;
    left_in_row = l.words;
    steps = 0;
    waited = 0;
    broken = 0;
    beyond = 0;
    saturated = 0;
    seen.positive = 0;
    seen.negative = 0;
    state = updates ? forwarding : reading;
    return;
  }

  beat_t beat;
  const bool arrived = state != padding && state != closing && beats.read_nb(beat);
  const bool stopped = !arrived && waited == ap_uint<patience_bits>(~ap_uint<patience_bits>(0));
  waited = arrived ? ap_uint<patience_bits>(0) : ap_uint<patience_bits>(waited + 1);
  const bool of_results = holds == results;
  const bool of_floats = holds == floats;
  const bool row_wraps = left_in_row == 1;
  const bool fills_word = part == last_part;
  // Of results, `left` counts rows; of kept numbers, pairs of words.
  const bool final = fills_word && left == 1 && (!of_results || row_wraps);
  const bool takes = arrived && state == reading;
  const bool early = takes && beat.last && !final;
  const bool late = takes && !beat.last && final;
  const bool complete = takes && beat.last && final;
  const bool discarded = arrived && state == discarding && beat.last;
  const bool not_finite = takes && of_floats && !float_extremes::finite(beat.data);
  const ap_uint<1> broken_now = broken | ap_uint<1>(not_finite);

  // Elements.
  const random_words<CORE, floats_per_beat> random =
      random_words<CORE, floats_per_beat>::from(generator, takes && of_floats && !measures);
  ap_uint<CORE::element_bits * floats_per_beat> rounded = 0;
  ap_uint<3> over = 0;
  for (int i = 0; i < floats_per_beat; ++i) {
#pragma HLS unroll
    const rounded_element<CORE> q =
        requantised<CORE, fp32_t>(ap_uint<32>(beat.data >> (32 * i)), e, width, random.of[i]);
    over += q.saturated;
    rounded |= ap_uint<CORE::element_bits * floats_per_beat>(ap_uint<CORE::element_bits>(q.value))
               << (CORE::element_bits * i);
  }
  const ap_uint<beat_bits> data = arrived ? beat.data : ap_uint<beat_bits>(0);  // zeros stand for masters, too
  const word_t of_halves = (widened<CORE, 16>(data) << (element_word / 2)) | (gathered >> (element_word / 2));
  const word_t of_four = (word_t(rounded) << (element_word * 3 / 4)) | (gathered >> (element_word / 4));
  const word_t of_low =
      (word_t(number_halves(beat.data, 0)) << (element_word * 3 / 4)) | (gathered >> (element_word / 4));
  const word_t word = of_floats ? of_four : keeps ? of_low : holds == halves ? of_halves : widened<CORE, 8>(beat.data);

  // Results: two of 64 bits a beat.
  ap_uint<2 * CORE::result_bits> two = 0;
  ap_uint<1> beyond_now = beyond;
  for (int i = 0; i < 2; ++i) {
#pragma HLS unroll
    const ap_int<64> wide = beat.data >> (64 * i);
    const ap_int<64> above = wide >> (CORE::result_bits - 1);
    const bool fits = above == 0 || above == -1;
    const ap_uint<CORE::result_bits> largest = ap_uint<CORE::result_bits>(~ap_uint<CORE::result_bits>(0)) >> 1;
    const ap_uint<CORE::result_bits> limit = wide < 0 ? ap_uint<CORE::result_bits>(~largest) : largest;
    if (takes && of_results && !fits) beyond_now = 1;
    two |= ap_uint<2 * CORE::result_bits>(fits ? ap_uint<CORE::result_bits>(wide) : limit) << (CORE::result_bits * i);
  }
  const ap_uint<result_word> result = (ap_uint<result_word>(two) << (result_word - 2 * CORE::result_bits)) |
                                      (gathered_results >> (2 * CORE::result_bits));

  // Weights and momenta on their way to the update unit, which gets all beats that it waits for in any case.
  const bool forwards = arrived && state == forwarding;
  const bool passes = forwards || state == padding;
  const bool passes_last = passes && to_pass == 1;
  const bool too_short = forwards && beat.last && !passes_last;
  const bool too_long = forwards && !beat.last && passes_last;
  master_pair pair;
  pair.w = of_halves;
  pair.m = of_halves >> beat_bits;
  pair.code = !passes_last ? code_t(code::ok) : too_long ? code_t(code::late_end) : cut_short;
  if (passes && fills_word) masters.write(pair.word());

  // The end of the command.
  const bool works = (takes && !broken_now) || forwards;
  const steps_t steps_now = steps + ap_uint<1>(works);
  const waits_t waits_now = waits + ap_uint<1>(!works);
  const bool closes = state == closing;
  const bool ends = (complete && !keeps) || closes || early || discarded ||
                    (stopped && state != forwarding && state != padding) || (passes_last && !too_long);
  const code_t length = complete || closes ? code::ok
                        : early            ? code::early_end
                        : stopped          ? code::stopped
                                           : code::late_end;
  const code_t found = updates                                 ? code_t(code::silent)
                       : broken_now                            ? code_t(code::not_finite)
                       : length == code::ok && beyond_now == 1 ? code_t(code::overflow)
                                                               : length;
  const float_extremes extremes = takes ? seen.with(beat.data) : seen;
  const ap_int<CORE::exponent_bits> measured =
      chosen_exponent<CORE>(float_asks(extremes.positive, false, width), float_asks(extremes.negative, true, width));
  const ap_uint<20> saturated_now = saturated + (takes ? over : ap_uint<3>(0));
  const payload_t payload = found != code::ok || !of_floats ? payload_t(0)
                            : measures ? payload_t(measured)
                                       : payload_t((payload_t(measured) << count_bits) | saturated_now);
  const ap_uint<done::width> end = done::with(whose, found, steps_now, payload, waits_now).word();
  const bool writes_word = takes && fills_word && !early && !broken_now;

  scratch_write<CORE> out;
  out.writes = (writes_word && !measures) || high_waits;
  out.ends = ends;
  out.address = address;
  out.data = high_waits ? gathered_high : word;
  out.end = end;
  if (!of_results && (out.writes || ends)) writes.write(out.word());
  result_write<CORE> load;
  load.writes = writes_word;
  load.ends = ends;
  load.address = address;
  load.data = result;
  load.end = end;
  if (of_results && (load.writes || ends)) loads.write(load.word());

  if (measures && ends && found == code::ok) kept = measured;
  if (high_waits) ++address;
  high_waits = keeps && writes_word;
  if (takes && CORE::float_lanes != 0) {
    gathered_high =
        (word_t(number_halves(beat.data, 1)) << (element_word * 3 / 4)) | (gathered_high >> (element_word / 4));
  }
  if (takes || passes) {
    gathered = word;
    part = fills_word ? ap_uint<4>(0) : ap_uint<4>(part + 1);
  }
  if (takes) {
    gathered_results = result;
    seen = extremes;
    saturated = saturated_now;
    if (fills_word) {
      if (row_wraps && of_results) row += pitch;
      address = of_results && row_wraps ? ap_uint<16>(row) : ap_uint<16>(address + 1);
      if (!of_results || row_wraps) --left;
      left_in_row = row_wraps ? words_a_row : ap_uint<12>(left_in_row - 1);
    }
  }
  steps = steps_now;
  waits = ends ? waits_t(0) : waits_now;
  broken = broken_now;
  beyond = beyond_now;
  if (late || too_long) state = discarding;
  if (complete && keeps) state = closing;
  if (too_short || (stopped && state == forwarding)) {
    cut_short = too_short ? code_t(code::early_end) : code_t(code::stopped);
    state = padding;
  }
  if (passes) --to_pass;
  if (ends) {
    state = idle;
    cut_short = code::ok;
  }
}

}  // namespace trainer
}  // namespace hwgen
