// Exact sums over the frames of a stream, in a fixed-point register as long as all terms need (Kulisch's accumulator),
// rounded once on the way out.
//
// The recurrence is one integer addition. Long carries are not waited for: the register is cut into segments, and the
// carry out of each is a bit of its own that enters the next segment with the next term. So a step is as fast as the
// addition of one segment, whatever the register's length. Only the way out, which is no recurrence and may take as
// many stages as it likes, lets the carries ripple through.
#pragma once

#include "hwgen/accumulator_step.hpp"

namespace hwgen {

// A register of two's complement from 2^LSB up to its sign at 2^MSB, for terms of type T, in segments of SEGMENT bits.
template <class T, int MSB, int LSB, int SEGMENT>
struct long_register {
  static_assert(MSB >= LSB, "the register has at least its sign bit");
  static constexpr int lsb = LSB;
  // Every term's magnitude is below 2^top. One place above that and above the register's own sign, so that the first
  // sum out of range is still exact, and known as such; then whole segments.
  static constexpr int top = T::lsb + T::precision + T::offset_max;
  static constexpr int needed = larger(MSB, top) + 2 - LSB;
  static constexpr int segment = smaller(SEGMENT, needed);
  static constexpr int segments = (needed + segment - 1) / segment;
  static constexpr int width = segments * segment;
  using digits_t = ap_uint<width>;
  using carries_t = ap_uint<segments>;  // bit i enters segment i; bit 0 is not used
  using term_t = term<MSB - LSB + 1, 0, LSB, 0>;
};

// What finite numbers cannot express, of the frame so far.
struct sum_flags {
  ap_uint<1> is_nan;
  ap_uint<1> plus_inf;
  ap_uint<1> minus_inf;
  ap_uint<1> minus_zero;  // the sign that the sum has if it is zero
};
constexpr int sum_flag_bits = 4;

// An exact sum on its way out.
template <class R>
struct long_sum {
  typename R::term_t value;
  ap_uint<1> overflow;  // some sum of this frame left the register's range
};

// a + b + carry with the carry out, on one carry chain: the carry in is made by two bits below.
template <int W>
HWGEN_INLINE ap_uint<W + 1> segment_sum(ap_uint<W> a, ap_uint<W> b, ap_uint<1> carry) {
  const ap_uint<W + 1> left = (ap_uint<W + 1>(a) << 1) | ap_uint<W + 1>(1);
  const ap_uint<W + 1> right = (ap_uint<W + 1>(b) << 1) | ap_uint<W + 1>(carry);
  const ap_uint<W + 2> sum = ap_uint<W + 2>(left) + ap_uint<W + 2>(right);
  return sum >> 1;
}

// Add the term to the register, or put it there alone if it is the first.
template <class R, class T>
HWGEN_INLINE void add_to_register(T x, ap_uint<1> first, typename R::digits_t& digits, typename R::carries_t& carries) {
  // --- to fixed point: bits of the magnitude below the register are cut off ---
  constexpr int up = larger(T::lsb - R::lsb, 0);
  constexpr int down = larger(R::lsb - T::lsb, 0);
  constexpr int aligned_width = T::precision + T::offset_max + up;
  const ap_uint<aligned_width> aligned = ap_uint<aligned_width>(x.significand)
                                         << (ap_uint<bits_for(aligned_width)>(x.offset) + up);
  const typename R::digits_t magnitude = aligned >> down;
  // A negative term is its complement and a carry into the lowest segment.
  const typename R::digits_t addend = x.negative ? typename R::digits_t(~magnitude) : magnitude;

  // --- the recurrence ---
  const typename R::digits_t old_digits = first ? typename R::digits_t(0) : digits;
  const typename R::carries_t old_carries = first ? typename R::carries_t(0) : carries;
  typename R::digits_t new_digits = 0;
  typename R::carries_t new_carries = 0;
  for (int i = 0; i < R::segments; ++i) {
    const ap_uint<R::segment> a = old_digits >> (i * R::segment);
    const ap_uint<R::segment> b = addend >> (i * R::segment);
    const ap_uint<1> carry_in = i == 0 ? x.negative : ap_uint<1>(old_carries[i]);
    const ap_uint<R::segment + 1> total = segment_sum<R::segment>(a, b, carry_in);
    new_digits |= typename R::digits_t(ap_uint<R::segment>(total)) << (i * R::segment);
    if (i + 1 < R::segments) new_carries |= typename R::carries_t(total[R::segment]) << (i + 1);
  }
  digits = new_digits;
  carries = new_carries;
}

// digits + carries, segment by segment; every addition is one segment long.
template <class R>
HWGEN_INLINE typename R::digits_t ripple(typename R::digits_t digits, typename R::carries_t carries) {
  typename R::digits_t sum = 0;
  ap_uint<1> carry = 0;
  for (int i = 0; i < R::segments; ++i) {
    const ap_uint<R::segment> digit = digits >> (i * R::segment);
    const ap_uint<1> late = carries[i];
    const ap_uint<R::segment + 1> total = segment_sum<R::segment>(digit, late, carry);
    sum |= typename R::digits_t(ap_uint<R::segment>(total)) << (i * R::segment);
    carry = total[R::segment];
  }
  return sum;
}

// Sign, magnitude and range of what is in the register; `beyond` is the overflow flag of the frame so far.
template <class R>
HWGEN_INLINE long_sum<R> read_register(typename R::digits_t digits, typename R::carries_t carries, ap_uint<1> first,
                                       ap_uint<1>& beyond) {
  using digits_t = typename R::digits_t;
  constexpr int kept = R::term_t::precision;
  const digits_t sum = ripple<R>(digits, carries);
  // In range if all bits from the sign up are the same.
  const ap_int<R::width> exact = sum;
  const ap_int<R::width - kept + 1> signs = exact >> (kept - 1);
  const ap_uint<1> now = signs != 0 && signs != -1;
  long_sum<R> result;
  result.overflow = now | (beyond & ~first);
  beyond = result.overflow;
  result.value.negative = sum[kept - 1];
  result.value.offset = 0;
  const digits_t turned = result.value.negative ? digits_t(~sum) : sum;
  result.value.significand = ripple<R>(turned, typename R::carries_t(result.value.negative));
  return result;
}

// NaN, infinities and the sign of zero after term x.
template <class RULE, class T>
HWGEN_INLINE sum_flags note_specials(unpacked<T> x, ap_uint<1> first, ap_uint<sum_flag_bits>& flags) {
  const ap_uint<1> is_zero = x.value.significand == 0 && !x.is_nan && !x.is_inf;
  const ap_uint<1> old_nan = flags[0];
  const ap_uint<1> old_plus = flags[1];
  const ap_uint<1> old_minus = flags[2];
  const ap_uint<1> old_zero = flags[3];
  sum_flags now;
  now.is_nan = x.is_nan | (old_nan & ~first);
  now.plus_inf = (x.is_inf & ~x.value.negative) | (old_plus & ~first);
  now.minus_inf = (x.is_inf & x.value.negative) | (old_minus & ~first);
  // Toward minus infinity a zero sum is negative unless all terms are +0; else it is positive unless all are -0.
  const ap_uint<1> minus_zero = is_zero & x.value.negative;
  const ap_uint<1> plus_zero = is_zero & ~x.value.negative;
  now.minus_zero = RULE::kind == mode::rdn ? ap_uint<1>(ap_uint<1>(~plus_zero) | (old_zero & ~first))
                                           : ap_uint<1>(minus_zero & (old_zero | first));
  flags = (ap_uint<sum_flag_bits>(now.minus_zero) << 3) | (ap_uint<sum_flag_bits>(now.minus_inf) << 2) |
          (ap_uint<sum_flag_bits>(now.plus_inf) << 1) | ap_uint<sum_flag_bits>(now.is_nan);
  return now;
}

// Returns the sum after term x, rounded into Y, and above it the overflow flag.
template <class R, class Y, class RULE, class T>
HWGEN_INLINE ap_uint<Y::width + 1> accumulate_long(unpacked<T> x, sum_control control, typename RULE::random_t random,
                                                   typename R::digits_t& digits, typename R::carries_t& carries,
                                                   ap_uint<sum_flag_bits>& flags, ap_uint<1>& beyond,
                                                   ap_uint<1>& open) {
  const ap_uint<1> first = clears(control) | ~open;
  open = ~ends(control);
  // Infinities and NaN add nothing to the register.
  T finite = x.value;
  if (x.is_nan | x.is_inf) finite.significand = 0;
  if (x.is_nan | x.is_inf) finite.negative = 0;
  add_to_register<R>(finite, first, digits, carries);

  const sum_flags special = note_specials<RULE>(x, first, flags);
  const long_sum<R> sum = read_register<R>(digits, carries, first, beyond);
  unpacked<typename R::term_t> out;
  out.value = sum.value;
  out.is_inf = special.plus_inf | special.minus_inf;
  out.is_nan = special.is_nan | (special.plus_inf & special.minus_inf);
  if (out.is_inf)
    out.value.negative = special.minus_inf;
  else if (out.value.significand == 0)
    out.value.negative = special.minus_zero;
  const ap_uint<Y::width> rounded = round_to<Y, RULE>(out, random);
  return (ap_uint<Y::width + 1>(sum.overflow) << Y::width) | ap_uint<Y::width + 1>(rounded);
}

}  // namespace hwgen
