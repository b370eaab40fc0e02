// From a term to a bit pattern: normalise, round once, handle overflow and the special values, pack.
//
// The last significand bit of a term may be a jam bit (see shift.hpp). Every operator ends here, so the rounding rules
// of NaN, Inf, subnormals and overflow exist once.
#pragma once

#include "hwgen/carry.hpp"
#include "hwgen/lzc.hpp"
#include "hwgen/rounding.hpp"
#include "hwgen/unpack.hpp"

namespace hwgen {

// Widths of the rounding datapath from term T into float format Y.
template <class Y, class RULE, class T>
struct round_widths {
  // Left shifts that bring the leading one to the top: at most this many, from the lowest place it can have.
  static constexpr int max_lz = T::precision - 1 - T::lead;
  // Left shifts at which the last place of the result is the last place of Y's subnormals, for the least offset.
  // Negative if even the top bit of such a term lies below Y's smallest normal number.
  static constexpr int limit_bias = (T::lsb + T::precision - 1) - (Y::lsb + Y::precision - 1);
  static constexpr int limit_min = limit_bias + T::offset_min;
  static constexpr int limit_max = limit_bias + T::offset_max;
  // Right shifts that subnormal results can need; one that empties the kept bits is as good as a longer one.
  static constexpr int kept = Y::precision + RULE::extra;
  static constexpr int max_right = (Y::subnormals && limit_min < 0) ? smaller(-limit_min, kept) : 0;
  // The significand, padded below so that there are always `kept` bits, with room above for the right shifts.
  static constexpr int body = larger(T::precision, kept);
  static constexpr int total = body + max_right;
  static constexpr int below = total - kept;  // bits that only count as sticky
  // Signed exponent arithmetic: holds the limit, the leading-zero count and their difference.
  static constexpr int limit_low = larger(larger(T::precision, max_lz) - limit_min, -limit_bias);
  static constexpr int limit_high = larger(limit_max + 1, larger(T::offset_max, Y::exponent_field_max));
  static constexpr int limit_bits = 1 + bits_for(larger(larger(limit_low, limit_high), T::precision));
  // Biased exponent before the overflow test; without subnormals also of results too small to keep.
  static constexpr int field_low = Y::subnormals ? 0 : larger(max_lz - limit_min, 0);
  static constexpr int field_bits =
      1 + larger(bits_for(larger(larger(limit_max + 2, field_low), 1)), Y::exponent_width);
  static constexpr bool can_overflow = limit_max + 1 >= Y::exponent_field_max;
};

// The pattern of an infinite result, exact or by overflow, sign left out; NaN's sign is handled by the caller.
template <class Y, class RULE>
HWGEN_INLINE ap_uint<Y::width - 1> infinite_magnitude() {
  return RULE::on_overflow == overflow::infinity ? Y::infinity() : Y::max_finite();
}

// Leading zeros of a significand, at most the `max_lz` of its term: where all places down to the lowest that a leading
// one can have are zero, there is none and any count will do.
template <class T>
HWGEN_INLINE ap_uint<bits_for(T::precision)> leading_zeros_of(ap_uint<T::precision> significand) {
  constexpr int most = T::precision - 1 - T::lead;
  if (most == 0) return 0;
  return leading_zeros<larger(most, 1)>(significand >> (T::precision - larger(most, 1)));
}

// What normalising leaves: the digits kept, their exponent field less the one that the leading one adds, and whether
// the last place goes up. `normal` says that the exponent field is not 0.
template <class Y, class W>
struct normalised_digits {
  ap_uint<1> negative;
  ap_uint<1> leading_one;
  ap_uint<1> normal;
  ap_int<W::limit_bits> spare;
  ap_uint<Y::precision> kept;
  ap_uint<1> up;
};

// The pattern of the rounded number, or of what stands for it. A zero has the sign `sign`; the number's own is known
// earlier.
template <class Y, class RULE, class W>
HWGEN_INLINE ap_uint<Y::width> pack_digits(normalised_digits<Y, W> x, ap_uint<1> is_nan, ap_uint<1> is_inf,
                                           ap_uint<1> sign) {
  constexpr int m = Y::mantissa_width;
  using limit_t = ap_int<W::limit_bits>;
  using field_t = ap_int<W::field_bits>;
  using code_t = ap_int<W::field_bits + m>;
  using magnitude_t = typename Y::magnitude_t;

  // --- special values and overflow, as far as they are known before rounding, take the place of the number ---
  const field_t exponent = x.normal ? field_t(x.spare) : field_t(0);
  // With IEEE infinities a carry out of the largest finite number spells Inf, and only a larger exponent must be
  // caught.
  constexpr bool carry_is_infinity = Y::has_inf && RULE::on_overflow == overflow::infinity;
  const ap_uint<1> far_beyond =
      W::can_overflow && carry_is_infinity &&
      (x.spare > limit_t(Y::exponent_field_max) || (x.spare == limit_t(Y::exponent_field_max) && x.leading_one));
  const ap_uint<1> to_nan = is_nan | (is_inf & ap_uint<1>(RULE::on_overflow == overflow::nan));
  const ap_uint<1> special = is_inf | is_nan | (far_beyond & x.normal);
  magnitude_t stand_in = Y::max_finite();
  if (is_inf || overflows_to_infinity<RULE>(x.negative)) stand_in = infinite_magnitude<Y, RULE>();
  if (to_nan) stand_in = Y::nan();

  // --- round: exponent and fraction are one integer, so a carry out of the fraction does the right thing ---
  const ap_uint<1> up = x.up & ~special;
  const code_t exponent_row = special ? code_t(stand_in) : code_t(code_t(exponent) << m);
  const code_t fraction = x.kept & ((ap_uint<Y::precision>(1) << m) - 1);
  const code_t fraction_row = special ? code_t(0) : code_t((code_t(x.leading_one) << m) | fraction);
  const code_t code = add_with_carry<W::field_bits + m>(exponent_row, fraction_row, up);

  // --- range ---
  magnitude_t magnitude = code;
  ap_uint<1> becomes_nan = to_nan;
  if (!Y::subnormals && code < code_t(ap_int<W::field_bits + m>(1) << m)) magnitude = 0;
  if (W::can_overflow && !carry_is_infinity && code > code_t(Y::max_finite()) && !special) {
    magnitude = overflows_to_infinity<RULE>(x.negative) ? infinite_magnitude<Y, RULE>() : Y::max_finite();
    becomes_nan = RULE::on_overflow == overflow::nan && overflows_to_infinity<RULE>(x.negative);
    if (becomes_nan) magnitude = Y::nan();
  }
  const ap_uint<1> nan_sign = Y::nan() >> (Y::width - 1);
  const ap_uint<1> number_sign = (Y::encoding == specials::fnuz && magnitude == 0) ? ap_uint<1>(0) : sign;
  const ap_uint<1> packed_sign = becomes_nan ? nan_sign : number_sign;
  return (ap_uint<Y::width>(packed_sign) << (Y::width - 1)) | ap_uint<Y::width>(magnitude);
}

// What the decision takes of the random word, once the shift that normalises is known: any word but an eager one whole.
template <int A, class RANDOM>
HWGEN_INLINE RANDOM drawn_for(ap_uint<A>, RANDOM random) {
  return random;
}

// Round into a floating-point format. `lz` is the number of leading zeros or, if EXACT is false, perhaps one less.
// RANDOM is the rule's random word, or what an eager rule has made of it (see eager.hpp).
template <class Y, class RULE, bool EXACT, class T, class RANDOM>
HWGEN_INLINE ap_uint<Y::width> round_counted(unpacked<T> x, ap_uint<bits_for(T::precision)> lz, RANDOM random) {
  using w = round_widths<Y, RULE, T>;
  using limit_t = ap_int<w::limit_bits>;
  const ap_uint<1> negative = x.value.negative;

  // --- normalise: the leading one to the top, but no further than the subnormals' last place ---
  const ap_uint<w::body> body = ap_uint<w::body>(x.value.significand) << (w::body - T::precision);
  const limit_t limit = limit_t(x.value.offset) + limit_t(w::limit_bias);
  const limit_t spare = limit - limit_t(lz);  // also the exponent field, less the one that the leading one adds
  const ap_uint<1> below_normal = spare < 0;
  const limit_t clamped = (w::max_right > 0 && limit < -w::max_right) ? limit_t(-w::max_right) : limit;
  const limit_t left = (Y::subnormals && below_normal) ? clamped : limit_t(lz);
  // The shifter has room for every amount that its bits can say, so that it needs no test for too much.
  constexpr int amount_bits = bits_for(w::max_lz + w::max_right);
  constexpr int room = larger(w::total, 1 << amount_bits);
  const ap_uint<amount_bits> amount = left + limit_t(w::max_right);
  const ap_uint<w::total> coarse = ((ap_uint<room>(body) << (room - w::total)) << amount) >> (room - w::total);
  const ap_uint<1> top = coarse[w::total - 1];  // clear for subnormals and zero: their exponent field is 0
  const ap_uint<1> one_more = !EXACT && !top && (!Y::subnormals || spare > 0);
  const ap_uint<w::total> shifted = one_more ? ap_uint<w::total>(coarse << 1) : coarse;
  const ap_uint<1> normal = EXACT ? top : ap_uint<1>(top | (shifted[w::total - 1] & one_more));

  // --- round ---
  const ap_uint<Y::precision> kept = shifted >> (w::total - Y::precision);
  const ap_uint<RULE::extra> extra = shifted >> w::below;
  const ap_uint<1> sticky = (shifted & ((ap_uint<w::total>(1) << w::below) - 1)) != 0;
  // Without subnormals, what has no leading one where it was looked for is too small to round to a normal number.
  const ap_uint<1> lost = !Y::subnormals && (T::lead > 0 || !EXACT) && !normal;
  const ap_uint<1> up = rounds_up<RULE>(negative, kept[0], extra, sticky, drawn_for(amount, random)) & ~lost;
  return pack_digits<Y, RULE, w>(normalised_digits<Y, w>{negative, top, normal, spare, kept, up}, x.is_nan, x.is_inf,
                                 negative);
}

// Round into a floating-point format.
template <class Y, class RULE, class T>
HWGEN_INLINE ap_uint<Y::width> round_to(unpacked<T> x, typename RULE::random_t random, float_tag) {
  return round_counted<Y, RULE, true>(x, leading_zeros_of<T>(x.value.significand), random);
}

// Widths of the rounding datapath from term T into fixed-point format Y.
template <class Y, class RULE, class T>
struct round_fixed_widths {
  // Left shifts (right if negative) that align the term to Y's last place and `extra` bits below it, for offset 0.
  static constexpr int shift_min = T::lsb + T::offset_min - Y::lsb + RULE::extra;
  static constexpr int shift_max = shift_min + T::offset_max - T::offset_min;
  // A longer right shift leaves nothing but sticky; a longer left shift overflows anyway, and wraps to zero.
  static constexpr int max_right = smaller(larger(-shift_min, 0), T::precision);
  static constexpr int max_left = smaller(larger(shift_max, 0), Y::width + RULE::extra);
  static constexpr int aligned = T::precision + max_left;                      // after the shift, sticky part left out
  static constexpr int integer = larger(aligned - RULE::extra, Y::width) + 1;  // and a carry
  static constexpr int shift_bits =
      1 + bits_for(larger(larger(shift_max, -shift_min), larger(larger(max_left, max_right), T::offset_max)));
};

// Round into a fixed-point format: NaN becomes 0, infinities the nearest end of the range.
template <class Y, class RULE, class T>
HWGEN_INLINE ap_uint<Y::width> round_to(unpacked<T> x, typename RULE::random_t random, fixed_tag) {
  using w = round_fixed_widths<Y, RULE, T>;
  using shift_t = ap_int<w::shift_bits>;
  const ap_uint<1> negative = x.value.negative;

  // --- align ---
  const shift_t wanted = shift_t(x.value.offset) + shift_t(w::shift_min - T::offset_min);
  const shift_t bounded = wanted > w::max_left     ? shift_t(w::max_left)
                          : wanted < -w::max_right ? shift_t(-w::max_right)
                                                   : wanted;
  const ap_uint<bits_for(w::max_left + w::max_right)> amount = bounded + shift_t(w::max_right);
  constexpr int total = w::aligned + w::max_right;
  const ap_uint<total> shifted = ap_uint<total>(x.value.significand) << amount;
  const ap_uint<1> sticky = (shifted & ((ap_uint<total>(1) << w::max_right) - 1)) != 0;

  // --- round the magnitude ---
  const ap_uint<larger(w::aligned, RULE::extra + 1)> aligned = shifted >> w::max_right;
  const ap_uint<RULE::extra> extra = aligned;
  const ap_uint<w::integer> truncated = aligned >> RULE::extra;
  const ap_uint<w::integer> magnitude = truncated + rounds_up<RULE>(negative, truncated[0], extra, sticky, random);

  // --- range ---
  const ap_uint<Y::width> largest = ap_uint<Y::width>(~ap_uint<Y::width>(0)) >> (Y::is_signed ? 1 : 0);
  const ap_uint<Y::width> lowest = Y::is_signed ? ap_uint<Y::width>(~largest) : ap_uint<Y::width>(0);
  const ap_uint<1> beyond = negative ? ap_uint<1>(magnitude > ap_uint<w::integer>(lowest))
                                     : ap_uint<1>(magnitude > ap_uint<w::integer>(largest));
  const ap_uint<Y::width> wrapped = negative ? ap_uint<Y::width>(~magnitude + 1) : ap_uint<Y::width>(magnitude);
  const bool saturates = RULE::on_overflow == overflow::saturate;
  const ap_uint<Y::width> finite = (saturates && beyond) ? (negative ? lowest : largest) : wrapped;
  const ap_uint<Y::width> ranged = x.is_inf ? (negative ? lowest : largest) : finite;
  return x.is_nan ? ap_uint<Y::width>(0) : ranged;
}

// Round `x` once into format Y.
template <class Y, class RULE, class T>
HWGEN_INLINE ap_uint<Y::width> round_to(unpacked<T> x, typename RULE::random_t random) {
  return round_to<Y, RULE, T>(x, random, typename Y::family());
}

}  // namespace hwgen
