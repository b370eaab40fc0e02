// The store stage: results from their memory to the data stream, as they are or rounded to integers of few bits.
//
// Three kernels. `store` runs the loops and asks for words; `post` adds a bias, applies a mask or a relu, and rounds or
// measures; `pack` makes beats of what is left. `store` gets ahead of `post` by no more than their channel of steps
// holds, and the channel of words holds as many, so a data stream that waits never makes result memory wait.
#pragma once

#include <hls_stream.h>

#include "hwgen/trainer/memory.hpp"

namespace hwgen {
namespace trainer {

constexpr int fp32_one = 0x3F800000;

// What an update needs of its command; a norm adds gradients to its sums as to a momentum that stays.
struct update_rule {
  static constexpr int width = 3 * 32;
  ap_uint<32> lr, momentum, decay;

  HWGEN_INLINE ap_uint<width> word() const { return fields<width>::none().put(lr).put(momentum).put(decay).word; }
  static HWGEN_INLINE update_rule of(ap_uint<width> word) {
    update_rule u;
    fields<width>::of(word).take(u.lr).take(u.momentum).take(u.decay);
    return u;
  }
};

// What is to be done with a result word.
template <class CORE>
struct store_step {
  static constexpr int exponent = CORE::exponent_bits;
  static constexpr int mask_address = bits_for(CORE::mask_words - 1);
  static constexpr int bias_address = bits_for(CORE::bias_words - 1);
  static constexpr int width = 12 + 5 + exponent + mask_address + bias_address + ticket::width;
  ap_uint<3> mode;
  ap_uint<1> to_bias;  // the word is a bias
  ap_uint<1> first;    // of its command
  ap_uint<1> last;
  ap_uint<1> take;
  ap_uint<1> bias;
  ap_uint<1> apply_mask;
  ap_uint<1> relu;
  ap_uint<1> save_mask;
  ap_uint<1> halves;  // 16 bits an integer, not 8; of gradients: they are fp32 numbers
  ap_uint<5> bits;
  ap_int<exponent> e;
  ap_uint<mask_address> mask;
  ap_uint<bias_address> bias_at;
  ap_uint<ticket::width> whose;

  HWGEN_INLINE ap_uint<width> word() const {
    fields<width> f = fields<width>::none();
    f.put(mode).put(to_bias).put(first).put(last).put(take).put(bias).put(apply_mask).put(relu).put(save_mask);
    f.put(halves).put(bits).put(ap_uint<exponent>(e)).put(mask).put(bias_at).put(whose);
    return f.word;
  }
  static HWGEN_INLINE store_step of(ap_uint<width> word) {
    store_step s;
    fields<width> f = fields<width>::of(word);
    f.take(s.mode).take(s.to_bias).take(s.first).take(s.last).take(s.take).take(s.bias).take(s.apply_mask);
    f.take(s.relu).take(s.save_mask).take(s.halves).take(s.bits).take(s.e).take(s.mask).take(s.bias_at).take(s.whose);
    return s;
  }
};

template <class CORE, class COMMANDS>
HWGEN_INLINE void store(hls::stream<ap_uint<order::width>>& orders, hls::stream<ap_uint<CORE::result_address>>& reads,
                        hls::stream<ap_uint<store_step<CORE>::width>>& steps,
                        hls::stream<ap_uint<update_rule::width>>& rules) {
  using result_at = ap_uint<CORE::result_address>;
  static ap_uint<1> active = 0;
  static ap_uint<store_step<CORE>::width> step = 0;
  static result_at row = 0, pitch = 0, at = 0;
  static ap_uint<12> words_a_row = 0, left_in_row = 0;
  static ap_uint<16> rows_left = 0;

  if (!active) {
    const order o = order::of(orders.read());
    const typename COMMANDS::store c = COMMANDS::store::of(o.command);
    const typename COMMANDS::bias b = COMMANDS::bias::of(o.command);
    const typename COMMANDS::update u = COMMANDS::update::of(o.command);
    const bool to_bias = ticket::of(o.whose).opcode == operation::bias;
    const bool norms = ticket::of(o.whose).opcode == operation::norm;
    const bool updates = norms || ticket::of(o.whose).opcode == operation::update;
    if (updates) {
      update_rule rule;
      rule.lr = u.lr;
      rule.momentum = norms ? ap_uint<32>(fp32_one) : u.momentum;
      rule.decay = u.decay;
      rules.write(rule.word());
    }
    store_step<CORE> s;
    const ap_uint<3> passed = !norms                               ? store_mode::gradients
                              : COMMANDS::norm::of(o.command).sums ? store_mode::sums
                                                                   : store_mode::squares;
    s.mode = updates ? passed : ap_uint<3>(c.mode);
    s.to_bias = to_bias;
    s.first = 1;
    s.last = 0;
    s.take = c.take && !updates;
    s.bias = c.bias && !updates;
    s.apply_mask = c.apply_mask && !updates;
    s.relu = c.relu && !updates;
    s.save_mask = c.save_mask && !updates;
    s.halves = updates ? ap_uint<1>(u.floats) : ap_uint<1>(c.size);
    s.bits = c.width;
    s.e = updates ? u.exponent : c.exponent;
    s.mask = c.mask;
    s.bias_at = to_bias ? ap_uint<8>(b.dest) : ap_uint<8>(c.bias_at);
    s.whose = o.whose;
    step = s.word();
    row = to_bias ? result_at(b.c) : result_at(c.c);
    at = row;
    pitch = c.pitch;
    words_a_row = to_bias ? ap_uint<12>(b.words) : ap_uint<12>(c.words);
    left_in_row = words_a_row;
    rows_left = to_bias ? ap_uint<16>(1) : ap_uint<16>(c.rows);
    active = 1;
    return;
  }

  const bool row_wraps = left_in_row == 1;
  const bool last = row_wraps && rows_left == 1;
  store_step<CORE> s = store_step<CORE>::of(step);
  s.last = last;
  steps.write(s.word());
  reads.write(at);

  // Biases start again with every row; masks go on.
  s.first = 0;
  ++s.mask;
  s.bias_at = row_wraps ? ap_uint<store_step<CORE>::bias_address>(s.bias_at - (words_a_row - 1))
                        : ap_uint<store_step<CORE>::bias_address>(s.bias_at + 1);
  step = s.word();
  if (row_wraps) {
    row += pitch;
    --rows_left;
  }
  at = row_wraps ? row : result_at(at + 1);
  left_in_row = row_wraps ? words_a_row : ap_uint<12>(left_in_row - 1);
  if (last) active = 0;
}

}  // namespace trainer
}  // namespace hwgen
