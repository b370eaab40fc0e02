// Rounding a sum in two's complement; into a floating-point format without a carry chain for its absolute value.
//
// For a negative sum v, |v| = ~v + 1. The complement is normalised and cut instead, and the one is added where rounding
// adds anyway: what is cut off behaves as if ~v went on with ones for ever, since ~v.111... = ~v + 1.
#pragma once

#include "hwgen/dot_trim.hpp"
#include "hwgen/round.hpp"
#include "hwgen/shift.hpp"

namespace hwgen {

// Whether the magnitude of the complement goes up. `exact` says that nothing but zeros is cut off below `guard` of the
// sum itself, so ones below that of the complement: if it is set, so is the one that completes the complement.
template <class RULE>
HWGEN_INLINE ap_uint<1> complement_rounds_up(ap_uint<1> sum_negative, ap_uint<1> odd, ap_uint<1> guard,
                                             ap_uint<1> exact, no_random) {
  const ap_uint<1> carry = guard & exact;  // ones all the way down: the complement plus one is a whole number
  switch (RULE::kind) {
    case mode::rne:
      return guard | (exact & odd);
    case mode::rna:
      return guard | exact;
    case mode::rup:
      return carry | ~sum_negative;
    case mode::rdn:
      return carry | sum_negative;
    case mode::rto:
      return carry | ~odd;
    default:
      return carry;
  }
}
template <class RULE, int R>
HWGEN_INLINE ap_uint<1> complement_rounds_up(ap_uint<1>, ap_uint<1>, ap_uint<R> k, ap_uint<1> exact, ap_uint<R> u) {
  // `exact` enters as a carry, from a column below.
  const ap_uint<R + 2> sum =
      ((ap_uint<R + 2>(k) << 1) | ap_uint<R + 2>(exact)) + ((ap_uint<R + 2>(u) << 1) | ap_uint<R + 2>(exact));
  return sum[R + 1];
}

// Whether going up would spell an Inf where the mode rounds to the largest finite number. Of a magnitude itself no such
// mode asks for that, but the complement of a power of two is all ones, and needs the one that completes it.
template <class Y, class RULE, class W>
HWGEN_INLINE ap_uint<1> carries_into_refused_infinity(ap_uint<1> negative, ap_int<W::limit_bits> spare,
                                                      ap_uint<Y::precision> kept) {
  if (!Y::has_inf || !W::can_overflow) return 0;
  const ap_uint<1> largest =
      spare == ap_int<W::limit_bits>(Y::exponent_field_max - 1) && ap_uint<Y::precision>(~kept) == 0;
  return largest & ~overflows_to_infinity<RULE>(negative);
}

// The sum shifted left until its first digit is at the top, no further than the subnormals' last place: its top with
// the jam bit of the rest, and the digits' leading zeros, as far as they were counted.
template <class Y, class RULE, class LONGER>
struct normalised {
  using w = round_widths<Y, RULE, LONGER>;
  window<w::kept> top;
  ap_int<w::limit_bits> zeros;
};

// With a variable exponent the zeros are counted first: how far to shift depends on both.
template <class Y, class RULE, class T, class LONGER, bool LIMIT_IS_CONSTANT>
struct sum_normaliser {
  using w = round_widths<Y, RULE, LONGER>;
  using result_t = normalised<Y, RULE, LONGER>;
  using limit_t = ap_int<w::limit_bits>;
  static HWGEN_INLINE result_t run(T x, ap_uint<w::total> extended) {
    const ap_uint<1> below_zero = x.value[T::width - 1];
    const ap_uint<T::width> digits = below_zero ? ap_uint<T::width>(~x.value) : ap_uint<T::width>(x.value);
    const limit_t lz = limit_t(leading_zeros<w::max_lz>(digits));
    const limit_t limit = limit_t(x.offset) + limit_t(w::limit_min);
    const ap_uint<1> below_normal = lz > limit;
    const limit_t clamped = (w::max_right > 0 && limit < -w::max_right) ? limit_t(-w::max_right) : limit;
    const limit_t left = (Y::subnormals && below_normal) ? clamped : lz;
    const ap_uint<bits_for(w::max_lz + w::max_right)> amount = left + limit_t(w::max_right);
    return result_t{shift_to_top<w::kept>(extended, amount), lz};
  }
};

// Shift by `step` if that many leading digits are zero, then see to the rest: at most LEFT places altogether, each
// number of which can be reached, since a step is no longer than what is left behind it and one.
template <int W, class COUNT, int LEFT>
struct normalising_steps {
  static constexpr int step = (LEFT + 1) / 2;
  static HWGEN_INLINE void run(ap_uint<W>& v, COUNT& zeros, ap_uint<1> below_zero) {
    const ap_uint<step> leading = v >> (W - step);
    const ap_uint<1> skip = leading == (below_zero ? ap_uint<step>(~ap_uint<step>(0)) : ap_uint<step>(0));
    if (skip) v = v << step;
    if (skip) zeros += COUNT(step);
    normalising_steps<W, COUNT, LEFT - step>::run(v, zeros, below_zero);
  }
};
template <int W, class COUNT>
struct normalising_steps<W, COUNT, 0> {
  static HWGEN_INLINE void run(ap_uint<W>&, COUNT&, ap_uint<1>) {}
};

// With a constant one counting and shifting are the same steps, which take fewer LUTs than both.
template <class Y, class RULE, class T, class LONGER>
struct sum_normaliser<Y, RULE, T, LONGER, true> {
  using w = round_widths<Y, RULE, LONGER>;
  using result_t = normalised<Y, RULE, LONGER>;
  static HWGEN_INLINE result_t run(T x, ap_uint<w::total> extended) {
    ap_uint<w::total> shifted = extended;
    ap_int<w::limit_bits> zeros = 0;
    normalising_steps<w::total, ap_int<w::limit_bits>, smaller(w::limit_min, w::max_lz)>::run(
        shifted, zeros, ap_uint<1>(x.value[T::width - 1]));
    const ap_uint<1> jam = (shifted & ((ap_uint<w::total>(1) << w::below) - 1)) != 0;
    return result_t{window<w::kept>{ap_uint<w::kept>(shifted >> w::below), jam}, zeros};
  }
};

// Round into the floating-point format Y.
template <class Y, class RULE, class T>
HWGEN_INLINE ap_uint<Y::width> round_signed(T x, sum_specials flags, typename RULE::random_t random) {
  // One more bit below, so that even the complement of -1 has a leading one: the first of those that go on for ever.
  using longer_t = term<T::width, T::offset_max, T::lsb - 1, 0>;
  using w = round_widths<Y, RULE, longer_t>;
  using limit_t = ap_int<w::limit_bits>;
  using total_t = ap_uint<w::total>;
  const ap_uint<1> below_zero = x.value[T::width - 1];
  const ap_uint<1> negative = x.base ^ below_zero;

  // --- normalise the sum itself, as far as its complement has leading zeros if it is negative ---
  const total_t extended = total_t(ap_int<w::total>(x.value)) << (w::body - T::width + 1);
  using normaliser = sum_normaliser<Y, RULE, T, longer_t, (T::offset_max == 0 && Y::subnormals && w::limit_min >= 0)>;
  const typename normaliser::result_t normal = normaliser::run(x, extended);
  const limit_t spare = limit_t(x.offset) + limit_t(w::limit_min) - normal.zeros;

  // --- round ---
  const ap_uint<w::kept> cut = normal.top.kept;
  const ap_uint<w::kept> digits = below_zero ? ap_uint<w::kept>(~cut) : cut;
  const ap_uint<1> leading_one = digits[w::kept - 1];
  const ap_uint<Y::precision> kept = digits >> RULE::extra;
  const ap_uint<RULE::extra> extra = digits;
  const ap_uint<1> sticky = normal.top.jam;
  const ap_uint<1> up = below_zero ? complement_rounds_up<RULE>(negative, kept[0], extra, ap_uint<1>(~sticky), random)
                                   : rounds_up<RULE>(negative, kept[0], extra, sticky, random);
  const ap_uint<1> refused = carries_into_refused_infinity<Y, RULE, w>(negative, spare, kept);
  const ap_uint<1> zero = cut == 0 && !sticky && !below_zero;  // nothing but signs is shifted out at the top
  const ap_uint<1> sign = flags.is_inf ? flags.inf_sign : zero ? flags.zero_sign : negative;
  return pack_digits<Y, RULE, w>(
      normalised_digits<Y, w>{negative, leading_one, leading_one, spare, kept, up & ~refused}, flags.is_nan,
      flags.is_inf, sign);
}

// Round a sum into any format: only a float profits from the above.
template <class Y, class RULE, class FAMILY>
struct sum_rounder {
  template <class T>
  static HWGEN_INLINE ap_uint<Y::width> run(T x, sum_specials flags, typename RULE::random_t random) {
    const ap_uint<1> below_zero = x.value < 0;
    const ap_uint<1> sign = x.value == 0 ? flags.zero_sign : ap_uint<1>(x.base ^ below_zero);
    unpacked<typename T::magnitude_t> u;
    u.value.negative = flags.is_inf ? flags.inf_sign : sign;
    u.value.offset = x.offset;
    u.value.significand = below_zero ? ap_int<T::width>(-x.value) : x.value;
    u.is_inf = flags.is_inf;
    u.is_nan = flags.is_nan;
    return round_to<Y, RULE>(u, random);
  }
};
template <class Y, class RULE>
struct sum_rounder<Y, RULE, float_tag> {
  template <class T>
  static HWGEN_INLINE ap_uint<Y::width> run(T x, sum_specials flags, typename RULE::random_t random) {
    return round_signed<Y, RULE>(trimmed<Y, RULE>(x), flags, random);
  }
};

template <class Y, class RULE, class T>
HWGEN_INLINE ap_uint<Y::width> round_sum(T x, sum_specials flags, typename RULE::random_t random) {
  return sum_rounder<Y, RULE, typename Y::family>::run(x, flags, random);
}

}  // namespace hwgen
