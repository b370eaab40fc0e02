// Random words for stochastic rounding: a Fibonacci linear-feedback shift register that leaps R shifts per word, so
// that successive words are disjoint runs of one maximal-length bit sequence.
#pragma once

#include "hwgen/format.hpp"

namespace hwgen {

// The next R bits of the sequence are the low R bits of the state.
template <int R, int W>
HWGEN_INLINE ap_uint<R> lfsr_word(ap_uint<W> state) {
  static_assert(R <= W, "a word cannot be longer than the register");
  return state;
}

// R shifts at once: each feeds the parity of the tapped bits in at the top. Only XOR gates; the state is never zero if
// it did not start so.
template <int R, int W>
HWGEN_INLINE ap_uint<W> lfsr_advance(ap_uint<W> state, ap_uint<W> taps) {
  for (int i = 0; i < R; ++i) {
    const ap_uint<W> tapped = state & taps;
    const ap_uint<1> feedback = tapped.xor_reduce();
    state = (state >> 1) | (ap_uint<W>(feedback) << (W - 1));
  }
  return state;
}

}  // namespace hwgen
