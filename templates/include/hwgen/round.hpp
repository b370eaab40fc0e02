// From a term to a bit pattern: normalise, round once, handle overflow and the special values, pack.
//
// The last significand bit of a term may be a jam bit (see shift.hpp). Every operator ends here, so the rounding rules
// of NaN, Inf, subnormals and overflow exist once.
#pragma once

#include "hwgen/lzc.hpp"
#include "hwgen/rounding.hpp"
#include "hwgen/unpack.hpp"

namespace hwgen {

// Widths of the rounding datapath from term T into float format Y.
template <class Y, class RULE, class T>
struct round_widths {
  // Left shifts that bring the leading one to the top: at most this many, from the lowest place it can have.
  static constexpr int max_lz = T::precision - 1 - T::lead;
  // Left shifts at which the last place of the result is the last place of Y's subnormals, for offset 0. Negative if
  // even the top bit of such a term lies below Y's smallest normal number.
  static constexpr int limit_min = (T::lsb + T::precision - 1) - (Y::lsb + Y::precision - 1);
  static constexpr int limit_max = limit_min + T::offset_max;
  // Right shifts that subnormal results can need; one that empties the kept bits is as good as a longer one.
  static constexpr int kept = Y::precision + RULE::extra;
  static constexpr int max_right = (Y::subnormals && limit_min < 0) ? smaller(-limit_min, kept) : 0;
  // The significand, padded below so that there are always `kept` bits, with room above for the right shifts.
  static constexpr int body = larger(T::precision, kept);
  static constexpr int total = body + max_right;
  static constexpr int below = total - kept;  // bits that only count as sticky
  // Signed exponent arithmetic: holds limit, limit + 1 and the leading-zero count.
  static constexpr int limit_bits = 1 + bits_for(larger(larger(limit_max + 1, -limit_min), max_lz + 1));
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

// Round into a floating-point format.
template <class Y, class RULE, class T>
HWGEN_INLINE ap_uint<Y::width> round_to(unpacked<T> x, typename RULE::random_t random, float_tag) {
  using w = round_widths<Y, RULE, T>;
  constexpr int m = Y::mantissa_width;
  using limit_t = ap_int<w::limit_bits>;
  using field_t = ap_int<w::field_bits>;
  using code_t = ap_int<w::field_bits + m>;
  const ap_uint<1> negative = x.value.negative;

  // --- normalise: the leading one to the top, but no further than the subnormals' last place ---
  const ap_uint<w::body> body = ap_uint<w::body>(x.value.significand) << (w::body - T::precision);
  // An all-zero count is max_lz: the leading one can be no lower, or there is none and any shift will do.
  const limit_t lz = w::max_lz == 0
                         ? limit_t(0)
                         : limit_t(leading_zeros<larger(w::max_lz, 1)>(body >> (w::body - larger(w::max_lz, 1))));
  const limit_t limit = limit_t(x.value.offset) + limit_t(w::limit_min);
  const ap_uint<1> below_normal = lz > limit;
  const limit_t clamped = (w::max_right > 0 && limit < -w::max_right) ? limit_t(-w::max_right) : limit;
  const limit_t left = (Y::subnormals && below_normal) ? clamped : lz;
  const ap_uint<bits_for(w::max_lz + w::max_right)> amount = left + limit_t(w::max_right);
  const ap_uint<w::total> shifted = ap_uint<w::total>(body) << amount;

  // --- round: exponent field and fraction are one integer, so a carry out of the fraction does the right thing ---
  const ap_uint<1> leading_one = shifted[w::total - 1];  // clear for subnormals and zero: their exponent field is 0
  const field_t field = leading_one ? field_t(limit + limit_t(1) - lz) : field_t(0);
  const ap_uint<Y::precision> kept = shifted >> (w::total - Y::precision);
  const ap_uint<RULE::extra> extra = shifted >> w::below;
  const ap_uint<1> sticky = (shifted & ((ap_uint<w::total>(1) << w::below) - 1)) != 0;
  const ap_uint<1> up = rounds_up<RULE>(negative, kept[0], extra, sticky, random);
  const code_t fraction = kept & ((ap_uint<Y::precision>(1) << m) - 1);
  const code_t code = (code_t(field) << m) + fraction + code_t(up);

  // --- range ---
  typename Y::magnitude_t magnitude = code;
  if (!Y::subnormals && code < code_t(ap_int<w::field_bits + m>(1) << m)) magnitude = 0;
  if (w::can_overflow) {
    // With IEEE infinities a carry out of the largest finite number already spells Inf.
    const bool carry_is_infinity = Y::has_inf && RULE::on_overflow == overflow::infinity;
    const ap_uint<1> beyond = carry_is_infinity ? ap_uint<1>(field > field_t(Y::exponent_field_max))
                                                : ap_uint<1>(code > code_t(Y::max_finite()));
    if (beyond) magnitude = overflows_to_infinity<RULE>(negative) ? infinite_magnitude<Y, RULE>() : Y::max_finite();
    if (RULE::on_overflow == overflow::nan && beyond && overflows_to_infinity<RULE>(negative)) x.is_nan = 1;
  }

  // --- special values ---
  if (x.is_inf) magnitude = infinite_magnitude<Y, RULE>();
  if (x.is_inf && RULE::on_overflow == overflow::nan) x.is_nan = 1;
  const ap_uint<1> sign = (Y::encoding == specials::fnuz && magnitude == 0) ? ap_uint<1>(0) : negative;
  const ap_uint<Y::width> packed = (ap_uint<Y::width>(sign) << (Y::width - 1)) | ap_uint<Y::width>(magnitude);
  return x.is_nan ? Y::nan() : packed;
}

// Widths of the rounding datapath from term T into fixed-point format Y.
template <class Y, class RULE, class T>
struct round_fixed_widths {
  // Left shifts (right if negative) that align the term to Y's last place and `extra` bits below it, for offset 0.
  static constexpr int shift_min = T::lsb - Y::lsb + RULE::extra;
  static constexpr int shift_max = shift_min + T::offset_max;
  // A longer right shift leaves nothing but sticky; a longer left shift overflows anyway, and wraps to zero.
  static constexpr int max_right = smaller(larger(-shift_min, 0), T::precision);
  static constexpr int max_left = smaller(larger(shift_max, 0), Y::width + RULE::extra);
  static constexpr int aligned = T::precision + max_left;                      // after the shift, sticky part left out
  static constexpr int integer = larger(aligned - RULE::extra, Y::width) + 1;  // and a carry
  static constexpr int shift_bits = 1 + bits_for(larger(larger(shift_max, -shift_min), larger(max_left, max_right)));
};

// Round into a fixed-point format: NaN becomes 0, infinities the nearest end of the range.
template <class Y, class RULE, class T>
HWGEN_INLINE ap_uint<Y::width> round_to(unpacked<T> x, typename RULE::random_t random, fixed_tag) {
  using w = round_fixed_widths<Y, RULE, T>;
  using shift_t = ap_int<w::shift_bits>;
  const ap_uint<1> negative = x.value.negative;

  // --- align ---
  const shift_t wanted = shift_t(x.value.offset) + shift_t(w::shift_min);
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
