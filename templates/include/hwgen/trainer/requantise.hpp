// Rounding to integers of a width that is chosen while the core runs, and the exponent that fits them.
//
// The exponent of a tensor is the least e under which every x * 2^-e is within half a unit of [-2^(w-1), 2^(w-1) - 1]
// (MuPPET's rule), where w is the width: the header library's block rule, with w a number instead of a constant.
#pragma once

#include "hwgen/lfsr.hpp"
#include "hwgen/lzc.hpp"
#include "hwgen/quantize.hpp"
#include "hwgen/trainer/messages.hpp"

namespace hwgen {
namespace trainer {

// Elements of 16 bits that share an exponent of as many bits as the core keeps.
template <class CORE>
using element_block = block_format<fixed_format<CORE::element_bits, 0, true>, exponent_field<CORE::exponent_bits>>;

template <class CORE>
struct rounded_element {
  ap_int<CORE::element_bits> value;
  ap_uint<1> saturated;
};

// round(x * 2^-e), saturated to `width` bits. Saturating to 16 bits first, as the library does, changes nothing.
template <class CORE, class X>
HWGEN_INLINE rounded_element<CORE> requantised(ap_uint<X::width> x, ap_int<CORE::exponent_bits> e, ap_uint<5> width,
                                               typename CORE::rounding_t::random_t random) {
  constexpr int bits = CORE::element_bits;
  const ap_uint<bits + 1> rounded =
      quantize_element<X, element_block<CORE>, typename CORE::rounding_t>(x, ap_uint<CORE::exponent_bits>(e), random);
  const ap_int<bits> q = rounded;
  const ap_int<bits> least = ap_int<bits>(-1) << ap_uint<4>(width - 1);
  const ap_int<bits> most = ~least;
  rounded_element<CORE> r;
  r.saturated = ap_uint<1>(rounded >> bits) | ap_uint<1>(q < least) | ap_uint<1>(q > most);
  r.value = q < least ? least : q > most ? most : q;
  return r;
}

// The greatest and the least of some numbers.
template <int BITS>
struct extremes {
  using value_t = ap_int<BITS>;
  value_t greatest, least;

  HWGEN_INLINE extremes with(value_t high, value_t low) const {
    extremes e;
    e.greatest = greatest < high ? high : greatest;
    e.least = low < least ? low : least;
    return e;
  }
  // Pairs first, for which one comparison says both; their number is a power of two.
  template <int N>
  static HWGEN_INLINE extremes among(const value_t (&x)[N]) {
    extremes pair[N / 2];
    for (int i = 0; i < N / 2; ++i) {
#pragma HLS unroll
      const bool rises = x[2 * i] < x[2 * i + 1];
      pair[i].greatest = rises ? x[2 * i + 1] : x[2 * i];
      pair[i].least = rises ? x[2 * i] : x[2 * i + 1];
    }
    for (int n = N / 4; n > 0; n /= 2) {
#pragma HLS unroll
      for (int i = 0; i < n; ++i) {
#pragma HLS unroll
        pair[i] = pair[i].with(pair[i + n].greatest, pair[i + n].least);
      }
    }
    return pair[0];
  }
};

constexpr int lowest_exponent = -1024;  // asked for by zeros: below everything that numbers ask for

// What a magnitude m * 2^lsb of BITS bits asks for. Positive numbers fit at one exponent less than their length
// suggests unless their top `width` bits are ones and something lies below; negative ones reach half a unit further.
template <int BITS>
HWGEN_INLINE ap_int<12> asked_by(ap_uint<BITS> m, bool negative, ap_uint<5> width, ap_int<12> lsb) {
  const ap_uint<bits_for(BITS)> zeros = leading_zeros(m);
  const ap_uint<BITS> normal = m << zeros;
  const ap_uint<BITS> all = ~ap_uint<BITS>(0);
  const ap_uint<BITS> below = all >> width;  // the bits below the top `width`
  const bool full = (normal | below) == all;
  const bool positive_up = full && (normal & below) != 0;
  // Beyond 2^length / 2 * (1 + 2^-width).
  const ap_uint<BITS> fraction = normal & (all >> 1);
  const ap_uint<BITS> unit = (below >> 1) ^ below;  // its top bit; none if the width is all there is
  const bool negative_up = fraction > unit;
  const ap_int<12> length = ap_int<12>(BITS) - ap_int<12>(zeros) + lsb;
  const ap_int<12> asked =
      negative ? ap_int<12>(length - width + negative_up) : ap_int<12>(length - width + 1 + positive_up);
  return m == 0 ? ap_int<12>(lowest_exponent) : asked;
}

// The exponent that a tensor takes: the larger of what its sides ask for, 0 if all is zero, within the range kept.
template <class CORE>
HWGEN_INLINE ap_int<CORE::exponent_bits> chosen_exponent(ap_int<12> positive, ap_int<12> negative) {
  constexpr int most = (1 << (CORE::exponent_bits - 1)) - 1;
  const ap_int<12> larger_side = positive > negative ? positive : negative;
  const ap_int<12> e = larger_side == lowest_exponent ? ap_int<12>(0) : larger_side;
  return e > most ? ap_int<12>(most) : e < -most - 1 ? ap_int<12>(-most - 1) : e;
}

// Random words of COUNT elements, the first element's first; nothing at all unless the rounding is stochastic.
template <class CORE, int COUNT, bool STOCHASTIC = (CORE::random_bits > 0)>
struct random_words;
template <class CORE, int COUNT>
struct random_words<CORE, COUNT, true> {
  using random_t = typename CORE::rounding_t::random_t;
  random_t of[COUNT];

  // `state` moves on if `drawn`.
  static HWGEN_INLINE random_words from(ap_uint<CORE::lfsr_width>& state, bool drawn) {
    const ap_uint<CORE::lfsr_width> taps = CORE::lfsr_taps();
    ap_uint<CORE::lfsr_width> next = state;
    random_words words;
    for (int i = 0; i < COUNT; ++i) {
#pragma HLS unroll
      words.of[i] = lfsr_word<CORE::random_bits>(next);
      next = lfsr_advance<CORE::random_bits>(next, taps);
    }
    if (drawn) state = next;
    return words;
  }
};
template <class CORE, int COUNT>
struct random_words<CORE, COUNT, false> {
  using random_t = typename CORE::rounding_t::random_t;
  random_t of[COUNT];
  static HWGEN_INLINE random_words from(ap_uint<CORE::lfsr_width>&, bool) { return random_words(); }
};

}  // namespace trainer
}  // namespace hwgen
