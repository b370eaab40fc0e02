// Posits of the 2022 standard: unpacking to a term, and rounding a term to a posit.
//
// A positive pattern is a zero, a run of equal regime bits ended by its complement, ES exponent bits and the fraction;
// whatever does not fit at the right reads as zeros. A negative value is the two's complement of its magnitude. Zero is
// all zeros; the pattern 10..0 is NaR (not a real), which NaN and infinities become.
#pragma once

#include "hwgen/lzc.hpp"
#include "hwgen/rounding.hpp"
#include "hwgen/unpack.hpp"

namespace hwgen {

struct posit_tag {};

template <int W, int ES>
struct posit_format {
  using family = posit_tag;
  static constexpr int width = W;
  static constexpr int exponent_width = ES;
  static constexpr bool has_inf = false;
  static constexpr bool has_nan = true;

  // The regime takes at least two bits beside the sign, so this is the longest significand, hidden one included.
  static constexpr int precision = larger(W - 3 - ES, 0) + 1;
  static constexpr int regime_max = W - 2;
  static constexpr int exponent_max = regime_max * (1 << ES);  // of maxpos; minpos has its negative
  static constexpr int lsb = 1 - exponent_max - precision;
  static constexpr int offset_max = 2 * exponent_max;
  static constexpr bool normalised = true;
  static constexpr bool fixed_grid = false;
  static constexpr bool subnormals = false;  // the last place of a result never falls below its leading one's

  static HWGEN_INLINE ap_uint<W> nan() { return ap_uint<W>(1) << (W - 1); }
};

// --- unpack: find the end of the regime, shift it out, and what is left is exponent and fraction ---

template <class F>
HWGEN_INLINE unpacked<term_of<F>> unpack(ap_uint<F::width> x, posit_tag) {
  constexpr int es = F::exponent_width;
  constexpr int run_max = larger(F::width - 2, 1);  // bits that can continue the regime; one zero is put behind posit2
  constexpr int tail = larger(F::width - 3, es + F::precision - 1);  // exponent and fraction, those cut off as zeros
  constexpr int word = larger(tail, 1 << bits_for(run_max));         // longer than any shift
  using regime_t = ap_int<2 + bits_for(run_max)>;
  using offset_t = typename term_of<F>::offset_t;

  const ap_uint<1> negative = x[F::width - 1];
  const ap_uint<F::width - 1> raw = x;
  const ap_uint<1> is_number = raw != 0;
  const ap_uint<F::width - 1> signs =
      negative ? ap_uint<F::width - 1>(~ap_uint<F::width - 1>(0)) : ap_uint<F::width - 1>(0);
  const ap_uint<F::width - 1> body = (raw ^ signs) + negative;
  const ap_uint<1> first = body[F::width - 2];
  const ap_uint<run_max> behind_first = body << (run_max - (F::width - 2));
  // A run of zeros ends at the last bit even in zero and NaR, which so get the exponent of minpos: offset 0.
  const ap_uint<run_max> ended = first ? ap_uint<run_max>(~behind_first) : ap_uint<run_max>(behind_first | 1);
  const ap_uint<bits_for(run_max)> run = leading_zeros<run_max>(ended);

  // The first bit behind the run ends it. A run to the very end leaves nothing.
  const ap_uint<word> aligned = ap_uint<word>(ap_uint<word>(body) << (word - (F::width - 3))) << run;
  // regime = run for a run of ones, else -1 - run, which is its complement.
  const regime_t regime = first ? regime_t(run) : regime_t(~regime_t(run));
  const ap_uint<es + 1> exponent = aligned >> (word - es);
  const ap_uint<F::precision> fraction = ap_uint<word>(aligned << es) >> (word - (F::precision - 1));

  unpacked<term_of<F>> u;
  u.value.negative = negative;
  u.value.offset = (offset_t(regime + F::regime_max) << es) | offset_t(exponent & ((1 << es) - 1));
  if (F::offset_max == 0) u.value.offset = 0;  // posit2 has no exponents
  u.value.significand = (ap_uint<F::precision>(is_number) << (F::precision - 1)) | fraction;
  u.is_inf = 0;
  u.is_nan = negative & ~is_number;
  return u;
}

// --- round: write the bit string of the exact value, cut it behind the last place, and round on the string ---

template <class Y, class T>
struct round_posit_widths {
  static constexpr int es = Y::exponent_width;
  // Left shifts that bring the leading one to the top, and the exponent of a term that needs none, at offset 0.
  static constexpr int max_lz = T::precision - 1 - T::lead;
  static constexpr int power_min = T::lsb + T::precision - 1;
  static constexpr int power_bits =
      1 + bits_for(larger(larger(power_min + T::offset_max, max_lz - power_min), larger(T::offset_max, max_lz + 1)));
  // Behind the regime's first two bits: exponent, the longest fraction and its guard bit, and a sticky bit.
  static constexpr int tail = es + Y::precision + 1;
  static constexpr int below = tail + 2 - Y::width;  // of these, cut off with the shortest regime, behind the guard bit
  static constexpr int run_bits = bits_for(Y::regime_max);
};

// Leading zeros of a significand that has at most MAX_LZ of them, or is zero.
template <int MAX_LZ>
struct normaliser {
  template <int P>
  static HWGEN_INLINE ap_uint<bits_for(MAX_LZ)> count(ap_uint<P> v) {
    return leading_zeros<MAX_LZ>(v >> (P - MAX_LZ));
  }
};
template <>
struct normaliser<0> {
  template <int P>
  static HWGEN_INLINE ap_uint<1> count(ap_uint<P>) {
    return 0;
  }
};

template <class Y, class RULE, class T>
HWGEN_INLINE ap_uint<Y::width> round_to(unpacked<T> x, no_random, posit_tag) {
  static_assert(RULE::kind == mode::rne, "posits are rounded to nearest, ties to even: the standard has nothing else");
  using w = round_posit_widths<Y, T>;
  using power_t = ap_int<w::power_bits>;
  using string_t = ap_uint<w::tail + 2>;
  using kept_t = ap_uint<Y::width - 1>;
  using filled_t = ap_uint<w::tail + 2 + Y::width>;
  const ap_uint<1> negative = x.value.negative;

  // --- normalise: the leading one to the top; there is none if the value is zero ---
  const ap_uint<bits_for(w::max_lz)> lz = normaliser<w::max_lz>::count(x.value.significand);
  const ap_uint<T::precision> normalised = x.value.significand << lz;
  const ap_uint<1> is_number = normalised[T::precision - 1];
  const power_t power = power_t(x.value.offset) + power_t(w::power_min) - power_t(lz);

  // --- the string with the shortest regime, 10 or 01; a longer one shifts it right and repeats the first bit ---
  constexpr int dropped = larger(T::precision - 1 - Y::precision, 0);  // fraction bits that only count as sticky
  constexpr int missing = larger(Y::precision - (T::precision - 1), 0);
  const ap_uint<T::precision> fraction_bits = normalised & ((ap_uint<T::precision>(1) << (T::precision - 1)) - 1);
  const ap_uint<1> inexact = (fraction_bits & ((ap_uint<T::precision>(1) << dropped) - 1)) != 0;
  const string_t fraction = (string_t(fraction_bits >> dropped) << (missing + 1)) | string_t(inexact);
  const string_t exponent = string_t(power & ((1 << w::es) - 1)) << (Y::precision + 1);
  const power_t regime = power >> w::es;
  const ap_uint<1> grows = regime >= 0;  // a regime of ones
  const power_t longer = grows ? regime : power_t(~regime);
  const string_t string = (string_t(grows ? 2 : 1) << w::tail) | exponent | fraction;

  // --- beyond maxpos and below minpos the regime has no end; no value rounds to zero or NaR ---
  // Which of the runs that `run_bits` hold are too long is a constant, one bit for each: no comparison needs a carry.
  using runs_t = ap_uint<1 << w::run_bits>;
  const ap_uint<w::run_bits> run = longer;
  const runs_t too_long = runs_t(~runs_t(0)) << Y::regime_max;
  const ap_uint<1> beyond = ap_uint<1>(power_t(longer >> w::run_bits) != 0) | ap_uint<1>(too_long >> run);
  const kept_t ends = grows ? kept_t(~kept_t(0)) : kept_t(0);

  // --- cut: the guard bit comes last, and a mask picks what lies below it ---
  const filled_t filled = filled_t(string) | (filled_t(ends) << (w::tail + 2));
  const ap_uint<Y::width> cut = filled >> w::below >> run;
  const ap_uint<1> guard = cut[0];
  const ap_uint<1> odd = cut[1];
  const ap_uint<1> sticky = (string & ~(string_t(~string_t(0)) << w::below << run)) != 0;

  // --- round and negate with one carry chain: -(m + up) = ~m + (1 - up) ---
  const ap_uint<1> nearest = guard & (sticky | odd);
  const ap_uint<1> is_nar = x.is_nan | x.is_inf;
  const ap_uint<1> up = ((nearest & ~beyond) | (beyond & ~grows)) & is_number & ~is_nar;
  const kept_t kept = beyond ? ends : kept_t(cut >> 1);
  const ap_uint<Y::width> magnitude = is_nar ? Y::nan() : is_number ? ap_uint<Y::width>(kept) : ap_uint<Y::width>(0);
  return ap_uint<Y::width>(negative ? ap_uint<Y::width>(~magnitude) : magnitude) + ap_uint<Y::width>(up ^ negative);
}

}  // namespace hwgen
