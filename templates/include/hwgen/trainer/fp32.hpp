// The format of numbers, weights, momenta and sums: fp32, rounded to nearest even.
#pragma once

#include "hwgen/rounding.hpp"
#include "hwgen/trainer/messages.hpp"

namespace hwgen {
namespace trainer {

using fp32_t = float_format<8, 23, 127, specials::ieee, true>;
using fp32_rounding = rounding<mode::rne, overflow::infinity>;

// The low halves of the four numbers of a beat, or the high ones.
HWGEN_INLINE ap_uint<beat_bits / 2> number_halves(ap_uint<beat_bits> beat, int high) {
  constexpr int half = fp32_t::width / 2;
  ap_uint<beat_bits / 2> all = 0;
  for (int i = 0; i < beat_bits / fp32_t::width; ++i) {
#pragma HLS unroll
    all |= ap_uint<beat_bits / 2>(ap_uint<half>(beat >> (half * (2 * i + high)))) << (half * i);
  }
  return all;
}

}  // namespace trainer
}  // namespace hwgen
