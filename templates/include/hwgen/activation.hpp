// The arithmetic between the tables of a function unit: argument reduction, places in segments, interpolation.
//
// Tables, widths and the constant ends of the range are the unit's own; see its source file. Nothing here rounds a
// result: magnitudes leave as terms, for `round_to`.
#pragma once

#include "hwgen/lzc.hpp"
#include "hwgen/round.hpp"

namespace hwgen {

// |x| = (1 + place / 2^(P - 1)) * 2^(offset + lsb + P - 1), with the leading one of the significand taken off. An
// offset below zero, of a subnormal x, needs the sign.
template <class TERM>
struct significand_place {
  static constexpr int bits = TERM::precision - 1;
  using offset_t = ap_int<bits_for(larger(TERM::offset_max, TERM::precision)) + 2>;
  ap_uint<bits> place;
  offset_t offset;
};

template <class TERM>
HWGEN_INLINE significand_place<TERM> reduce_significand(TERM x) {
  constexpr int p = TERM::precision;
  using offset_t = typename significand_place<TERM>::offset_t;
  significand_place<TERM> reduced;
  const bool normalised = TERM::lead == p - 1;
  const ap_uint<bits_for(p)> left = normalised ? ap_uint<bits_for(p)>(0) : leading_zeros<p>(x.significand);
  reduced.place = x.significand << left;
  reduced.offset = offset_t(x.offset) - offset_t(left);
  return reduced;
}

// z = floor(|x| * 2^F), and -1 - z for negative x, modulo 2^Z. Inverting bits is cheaper than negating, and the
// difference is in the last place only.
template <int F, int Z, class TERM>
HWGEN_INLINE ap_int<Z> reduce_fixed_point(TERM x) {
  constexpr int p = TERM::precision;
  constexpr int shift_min = TERM::lsb + F;
  constexpr int shift_max = smaller(shift_min + TERM::offset_max, Z);  // from here on nothing would be left
  using shift_t = ap_int<2 + bits_for(larger(larger(shift_min + TERM::offset_max, -shift_min), larger(Z, p)))>;
  // Right shifts that empty the word are all the same, so no more than p of them.
  constexpr int right = smaller(larger(-shift_min, 0), p);
  const shift_t wanted = shift_t(x.offset) + shift_t(shift_min);
  const shift_t bounded = wanted < -right ? shift_t(-right) : wanted;
  const ap_uint<bits_for(larger(shift_max, 0) + right)> amount = bounded + shift_t(right);
  const ap_uint<Z + right> shifted = ap_uint<Z + right>(x.significand) << amount;
  const ap_uint<Z> magnitude = shifted >> right;
  return x.negative ? ap_uint<Z>(~magnitude) : magnitude;
}

// c + floor(h * t * 2^SHIFT / 2^T): one step of Horner's scheme, 0 <= t < 2^T.
template <int T, int SHIFT, int C, int H>
HWGEN_INLINE ap_int<larger(C, H + SHIFT) + 1> horner_step(ap_int<C> c, ap_int<H> h, ap_uint<T> t) {
  using sum_t = ap_int<larger(C, H + SHIFT) + 1>;
  const ap_int<H + T + SHIFT> product = ap_int<H + T + SHIFT>(h * t) << SHIFT;
  return sum_t(c) + sum_t(ap_int<H + SHIFT>(product >> T));
}

// Which entry of a symmetric row belongs to place t, and on which side of the segment's middle t is: the first bit of t
// says it, and the minus side counts from the middle down.
template <int T>
HWGEN_INLINE ap_uint<T - 1> row_entry(ap_uint<T> t) {
  return t[T - 1] ? ap_uint<T - 1>(t) : ap_uint<T - 1>(~t);
}

// Round the magnitude S * 2^(offset + LSB), of the given sign. LEAD is the lowest place of S's leading one for which
// the result does not depend on how many zeros are above it (they are limited for subnormal results).
template <class Y, class RULE, int W, int OFFSET_MAX, int LSB, int LEAD>
HWGEN_INLINE ap_uint<Y::width> round_magnitude(ap_uint<1> negative, ap_uint<bits_for(OFFSET_MAX)> offset,
                                               ap_uint<W> magnitude) {
  unpacked<term<W, OFFSET_MAX, LSB, LEAD>> u;
  u.value.negative = negative;
  u.value.offset = offset;
  u.value.significand = magnitude;
  u.is_nan = 0;
  u.is_inf = 0;
  return round_to<Y, RULE>(u, no_random());
}

}  // namespace hwgen
