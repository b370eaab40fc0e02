// The weight update: master weights and momenta pass through, one element a clock.
//
//   g = result * 2^exponent, t = decay * w + g, m' = momentum * m + t, w' = w - lr * m'
//
// in fp32, each rounded once to nearest even. Weights and momenta come from the fetch stage, four of each at a time;
// results from `post`, a word at a time; what comes out takes their place on the way to the data stream.
#pragma once

#include <hls_stream.h>

#include "hwgen/dequantize.hpp"
#include "hwgen/sgd.hpp"
#include "hwgen/trainer/fetch.hpp"
#include "hwgen/trainer/post.hpp"

namespace hwgen {
namespace trainer {

using fp32_rounding = rounding<mode::rne, overflow::infinity>;

struct updated {
  ap_uint<32> w;
  ap_uint<32> m;
};

HWGEN_INLINE updated update_weight(ap_uint<32> w, ap_uint<32> m, ap_uint<32> g, update_rule rule) {
  const ap_uint<32> t = plus_product<fp32_t, fp32_t, fp32_t, fp32_t, fp32_rounding>(rule.decay, w, g);
  updated u;
  u.m = plus_product<fp32_t, fp32_t, fp32_t, fp32_t, fp32_rounding>(rule.momentum, m, t);
  u.w = minus_product<fp32_t, fp32_t, fp32_t, fp32_t, fp32_rounding>(rule.lr, u.m, w);
  return u;
}

// Lines that are not of an update pass through. The elements of the others are taken one a clock, with a beat of
// weights and one of momenta before every four. Nothing that is computed here comes back, so the arithmetic can be
// pipelined.
template <class CORE>
HWGEN_INLINE void update(hls::stream<ap_uint<line<CORE>::width>>& lines,
                         hls::stream<ap_uint<update_rule::width>>& rules,
                         hls::stream<ap_uint<master_beat::width>>& masters,
                         hls::stream<ap_uint<line<CORE>::width>>& out) {
  constexpr int lanes = CORE::cols;
  static_assert(lanes % 4 == 0, "a beat of weights is for results of one word");
  using result = fixed_format<CORE::result_bits, 0, true>;
  using scaled = block_format<result, exponent_field<CORE::exponent_bits>>;
  enum { take_w, take_m, update_0, update_1, update_2, update_3 };
  static ap_uint<1> active = 0;
  static ap_uint<line<CORE>::width> held = 0;
  static ap_uint<3> phase = take_w;
  static ap_uint<update_rule::width> rule = 0;
  static ap_uint<beat_bits> ws = 0, ms = 0;
  static code_t found = code::ok;
  static ap_uint<bits_for(lanes - 1)> lane = 0;

  const line<CORE> l = line<CORE>::of(active ? held : lines.read());
  if (l.kind != line_kind::gradients) {
    out.write(l.word());
    return;
  }
  if (!active && l.first) rule = rules.read();
  held = l.word();
  active = 1;

  if (phase == take_w || phase == take_m) {
    const master_beat b = master_beat::of(masters.read());
    if (phase == take_w) {
      ws = b.data;
    } else {
      ms = b.data;
      found = b.code;
    }
    ++phase;
    return;
  }

  const ap_uint<CORE::result_bits> v = l.content >> (ap_uint<12>(lane) * 64);
  const ap_uint<32> g = dequantize<scaled, fp32_t, fp32_rounding>(v, ap_uint<CORE::exponent_bits>(l.exponent));
  const updated u = update_weight(ap_uint<32>(ws), ap_uint<32>(ms), g, update_rule::of(rule));
  const bool ends_line = lane == lanes - 1;
  line<CORE> element = l;
  element.kind = line_kind::element;
  element.last = l.last && ends_line;
  element.content = (ap_uint<line<CORE>::data>(u.m) << 32) | ap_uint<line<CORE>::data>(u.w);
  element.ends_group = phase == update_3;
  element.found = found;
  out.write(element.word());
  ws >>= 32;
  ms >>= 32;
  phase = phase == update_3 ? ap_uint<3>(take_w) : ap_uint<3>(phase + 1);
  if (ends_line) {
    lane = 0;
    active = 0;
  } else {
    ++lane;
  }
}

}  // namespace trainer
}  // namespace hwgen
