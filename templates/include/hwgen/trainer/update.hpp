// The weight update: master weights and momenta pass through, `update_lanes` elements a clock.
//
//   g = result * 2^exponent, t = decay * w + g, m' = momentum * m + t, w' = w - lr * m'
//
// in fp32, each rounded once to nearest even; with float lanes g may be a result as it is. Weights and momenta come
// from the fetch stage, four of each at a time; results from `post`, a word at a time; what comes out takes their place
// on the way to the data stream.
//
// Norms are made with the same three multiply-adders: x = g, or s + g with a sum s in the place of the momentum, and
// x * x + n. There is a sum n of the even elements and one of the odd ones, each rounded once to nearest even after
// every square, and at the end their sum, so that the result does not depend on the number of lanes.
#pragma once

#include <hls_stream.h>

#include "hwgen/dequantize.hpp"
#include "hwgen/sgd.hpp"
#include "hwgen/trainer/fetch.hpp"
#include "hwgen/trainer/post.hpp"

namespace hwgen {
namespace trainer {

// round(a * b + c).
HWGEN_INLINE ap_uint<32> multiply_add(ap_uint<32> a, ap_uint<32> b, ap_uint<32> c) {
  return plus_product<fp32_t, fp32_t, fp32_t, fp32_t, fp32_rounding>(a, b, c);
}

// Lines that are not of an update or a norm pass through. A line of gradients is worked off from its low end,
// `update_lanes` elements a clock; with every fourth element a line of four weights and their momenta, or of four sums,
// leaves. Weights and momenta wait in registers that are shifted by as much: what has been computed moves in at the
// top. A norm ends with one more clock, in which its two sums are added.
template <class CORE>
HWGEN_INLINE void update(hls::stream<ap_uint<line<CORE>::width>>& lines,
                         hls::stream<ap_uint<update_rule::width>>& rules,
                         hls::stream<ap_uint<master_pair::width>>& masters,
                         hls::stream<ap_uint<line<CORE>::width>>& out) {
  constexpr int lanes = CORE::update_lanes;
  constexpr int some = 32 * lanes;  // bits of what is computed in a clock
  static_assert(CORE::cols % floats_per_beat == 0, "a beat of weights is for results of one word");
  static_assert(floats_per_beat % lanes == 0, "no clock has elements of two beats");
  using result = fixed_format<CORE::result_bits, 0, true>;
  using scaled = block_format<result, exponent_field<CORE::exponent_bits>>;
  constexpr int sums = 2;
  const ap_uint<32> negative_zero = ap_uint<32>(1) << 31;  // what can be added without any effect
  static ap_uint<1> active = 0;
  static ap_uint<1> joins = 0;  // the sums of squares are to be added
  static ap_uint<line<CORE>::width> held = 0;
  static ap_uint<update_rule::width> rule_word = 0;
  static ap_uint<master_pair::width> pair = 0;
  static ap_uint<bits_for(CORE::cols - 1)> place = 0;  // of the first element of this clock
  static ap_uint<32> sum[sums] = {};                   // that of the first lane's element first
#pragma HLS array_partition variable = sum complete

  line<CORE> l = line<CORE>::of(active ? held : lines.read());
  const bool numbers = CORE::float_lanes != 0 && l.kind == line_kind::numbers;
  const bool norms = l.kind == line_kind::squares || l.kind == line_kind::sums;
  const bool has_masters = l.kind != line_kind::squares;
  if (!norms && !numbers && l.kind != line_kind::gradients) {
    out.write(l.word());
    return;
  }
  if (!active && l.first) rule_word = rules.read();
  if (has_masters && !joins && place % floats_per_beat == 0) pair = masters.read();
  const update_rule rule = update_rule::of(rule_word);
  master_pair four = master_pair::of(pair);

  ap_uint<beat_bits> ws = 0, ms = 0;
  ap_uint<32> next_sum[lanes];
  ap_uint<32> joined = 0;
  for (int i = 0; i < lanes; ++i) {
#pragma HLS unroll
    const bool joins_here = i == 0 && joins;
    const ap_uint<32> w = four.w >> (32 * i);
    const ap_uint<32> m = has_masters ? ap_uint<32>(four.m >> (32 * i)) : negative_zero;
    const ap_uint<CORE::result_bits> v = l.content >> (64 * i);
    const ap_uint<32> of_integer =
        dequantize<scaled, fp32_t, fp32_rounding>(v, ap_uint<CORE::exponent_bits>(l.exponent));
    const ap_uint<32> g = numbers ? ap_uint<32>(v) : of_integer;
    const ap_uint<32> decayed = multiply_add(rule.decay, w, g);
    // Of a norm the momentum is 1.
    const ap_uint<32> t = joins_here ? sum[0] : norms ? g : decayed;
    const ap_uint<32> next_m = multiply_add(rule.momentum, joins_here ? sum[sums - 1] : m, t);
    const ap_uint<32> last_step =
        multiply_add(norms ? next_m : ap_uint<32>(rule.lr ^ negative_zero), next_m, norms ? sum[i] : w);
    next_sum[i] = last_step;
    if (i == 0) joined = next_m;
    ws |= ap_uint<beat_bits>(norms ? next_m : last_step) << (beat_bits - some + 32 * i);
    ms |= ap_uint<beat_bits>(next_m) << (beat_bits - some + 32 * i);
  }
  if (!joins) {
    four.w = ws | (four.w >> some);
    four.m = ms | (four.m >> some);
    pair = four.word();
  }
  for (int i = 0; i < sums; ++i) {
#pragma HLS unroll
    const ap_uint<32> moved =
        i + lanes < sums ? sum[smaller(i + lanes, sums - 1)] : next_sum[larger(i + lanes - sums, 0)];
    sum[i] = !norms ? sum[i] : joins ? ap_uint<32>(0) : moved;
  }

  const bool ends_line = place == CORE::cols - lanes;
  const bool ends_four = place % floats_per_beat == floats_per_beat - lanes;
  const bool joins_next = norms && l.last && ends_line && !joins;
  if (joins || (ends_four && !joins_next)) {
    line<CORE> leaving = l;
    leaving.kind = has_masters ? l.kind : ap_uint<3>(line_kind::nothing);
    if (numbers) leaving.kind = line_kind::gradients;
    leaving.last = l.last && (joins || ends_line);
    leaving.found = has_masters ? four.code : code_t(code::ok);
    leaving.content = (ap_uint<line<CORE>::data>(four.m) << beat_bits) | ap_uint<line<CORE>::data>(four.w);
    leaving.payload = joins && leaving.found == code::ok ? payload_t(joined) : payload_t(0);
    out.write(leaving.word());
  }
  l.content >>= 64 * lanes;
  held = l.word();
  active = !ends_line || joins_next;
  if (joins) active = 0;
  joins = joins_next;
  place = ends_line ? (joins_next ? int(place) : 0) : int(place) + lanes;
}

}  // namespace trainer
}  // namespace hwgen
