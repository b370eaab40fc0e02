// Number formats as types. A format is nothing but compile-time constants; values travel as packed ap_uint<W> bit
// patterns, so that ports, memories and streams never depend on a format's inner layout.
#pragma once

#include <ap_int.h>

// Operators are flattened into the datapath of their caller; a call left over would cost a handshake in HLS.
#define HWGEN_INLINE inline __attribute__((always_inline))

namespace hwgen {

// How the top exponent is used.
//   ieee: all-ones exponent holds Inf (zero fraction) and NaN.    fn:   only the all-ones pattern is NaN, no Inf (OCP
//   E4M3). fnuz: the negative-zero pattern is the one NaN, no Inf, no -0. none: every pattern is a finite number (OCP
//   FP6/FP4).
enum class specials { ieee, fn, fnuz, none };

struct float_tag {};
struct fixed_tag {};
constexpr bool is_float(float_tag) { return true; }
template <class FAMILY>
constexpr bool is_float(FAMILY) {
  return false;
}

// Smallest number of bits that holds every integer from 0 to `largest` (at least 1: there is no ap_uint<0>).
constexpr int bits_for(long largest) { return largest < 2 ? 1 : 1 + bits_for(largest / 2); }
constexpr int smaller(int a, int b) { return a < b ? a : b; }
constexpr int larger(int a, int b) { return a > b ? a : b; }

// Sign, E exponent bits, M fraction bits, from most to least significant.
template <int E, int M, int BIAS, specials SPECIALS, bool SUBNORMALS>
struct float_format {
  using family = float_tag;
  static constexpr int width = 1 + E + M;
  static constexpr int exponent_width = E;
  static constexpr int mantissa_width = M;
  static constexpr int bias = BIAS;
  static constexpr specials encoding = SPECIALS;
  static constexpr bool subnormals = SUBNORMALS;
  static constexpr bool has_inf = SPECIALS == specials::ieee;
  static constexpr bool has_nan = SPECIALS != specials::none;

  // A finite value is significand * 2^(offset + lsb), 0 <= offset <= offset_max; `lsb` is the weight of the last
  // significand bit of the smallest normal number, which is also that of every subnormal.
  static constexpr int precision = M + 1;
  static constexpr int lsb = 1 - BIAS - M;
  static constexpr int exponent_field_max = (1 << E) - (has_inf ? 2 : 1);
  static constexpr int offset_max = exponent_field_max - 1;
  static constexpr bool normalised = !SUBNORMALS;  // every non-zero significand has its top bit set
  // Whether every result has its last place at the same weight.
  static constexpr bool fixed_grid = false;

  // Magnitude patterns (the sign bit left out).
  using magnitude_t = ap_uint<E + M>;
  static HWGEN_INLINE magnitude_t all_ones() { return ~magnitude_t(0); }
  static HWGEN_INLINE magnitude_t infinity() { return magnitude_t(all_ones() << M); }
  static HWGEN_INLINE magnitude_t max_finite() {
    return SPECIALS == specials::ieee ? magnitude_t(infinity() - 1)
                                      : magnitude_t(all_ones() - (SPECIALS == specials::fn ? 1 : 0));
  }
  // Canonical quiet NaN, sign included. A format without NaN answers with its negative-zero pattern.
  static HWGEN_INLINE ap_uint<width> nan() {
    const ap_uint<width> sign_bit = ap_uint<width>(1) << (E + M);
    if (SPECIALS == specials::ieee) return ap_uint<width>(infinity()) | (ap_uint<width>(1) << (M > 0 ? M - 1 : 0));
    return SPECIALS == specials::fn ? ap_uint<width>(all_ones()) : sign_bit;
  }
};

// Integer * 2^-F in W bits, two's complement when SIGNED.
template <int W, int F, bool SIGNED>
struct fixed_format {
  using family = fixed_tag;
  static constexpr int width = W;
  static constexpr int fraction = F;
  static constexpr bool is_signed = SIGNED;
  static constexpr bool has_inf = false;
  static constexpr bool has_nan = false;

  // Seen as a term: a magnitude of W bits (|-2^(W-1)| needs them all) with a constant exponent.
  static constexpr int precision = W;
  static constexpr int lsb = -F;
  static constexpr int offset_max = 0;
  static constexpr bool normalised = false;
  static constexpr bool fixed_grid = true;
  static constexpr bool subnormals = true;
};

// What stands for "no number" in a format: fixed point has no NaN, and shows 0.
template <class F>
HWGEN_INLINE ap_uint<F::width> nan_code(float_tag) {
  return F::nan();
}
template <class F>
HWGEN_INLINE ap_uint<F::width> nan_code(fixed_tag) {
  return 0;
}

}  // namespace hwgen
