// Shared exponents: the formats of scales and blocks, and the choice of an exponent for the operands that share it.
//
// Two rules, both exact:
//   power of two (E8M0 scales, or floating-point elements; OCP MX): floor(log2(max |x|)) - emax of the elements.
//   nearest fit (fixed-point elements with an exponent field; MuPPET): the smallest e under which every x * 2^-e is
//     within half a unit of the elements' range [-2^(W-1), 2^(W-1) - 1].
// The result is clamped to the scale's range.
#pragma once

#include "hwgen/lzc.hpp"
#include "hwgen/pack.hpp"
#include "hwgen/unpack.hpp"

namespace hwgen {

// OCP's scale: the biased exponent alone; all ones is NaN.
struct e8m0 {
  static constexpr int width = 8;
  static constexpr int lowest = -127;
  static constexpr int highest = 127;
  static constexpr int of_zero = -127;  // the exponent of operands that are all zero
  static constexpr bool has_nan = true;
  // The code, seen from `lowest`.
  static HWGEN_INLINE ap_uint<8> offset(ap_uint<8> code) { return code; }
  static HWGEN_INLINE ap_uint<8> code(ap_uint<8> offset) { return offset; }
  static HWGEN_INLINE ap_uint<1> is_nan(ap_uint<8> code) { return code == 255; }
  static HWGEN_INLINE ap_uint<8> invalid() { return 255; }
};

// An exponent in two's complement.
template <int BITS>
struct exponent_field {
  static constexpr int width = BITS;
  static constexpr int lowest = -(1 << (BITS - 1));
  static constexpr int highest = (1 << (BITS - 1)) - 1;
  static constexpr int of_zero = 0;
  static constexpr bool has_nan = false;
  // Two's complement and its excess code differ in the top bit.
  static HWGEN_INLINE ap_uint<BITS> offset(ap_uint<BITS> code) { return code ^ (ap_uint<BITS>(1) << (BITS - 1)); }
  static HWGEN_INLINE ap_uint<BITS> code(ap_uint<BITS> offset) { return offset ^ (ap_uint<BITS>(1) << (BITS - 1)); }
  static HWGEN_INLINE ap_uint<1> is_nan(ap_uint<BITS>) { return 0; }
  static HWGEN_INLINE ap_uint<BITS> invalid() { return 0; }
};

// Floor(log2) of the largest element.
template <class ELEMENT>
constexpr int element_emax(float_tag) {
  return ELEMENT::exponent_field_max - (ELEMENT::encoding == specials::fn && ELEMENT::mantissa_width == 0 ? 1 : 0) -
         ELEMENT::bias;
}
template <class ELEMENT>
constexpr int element_emax(fixed_tag) {
  return ELEMENT::width - 2 - ELEMENT::fraction;
}

template <class ELEMENT, class SCALE>
struct block_format {
  using element = ELEMENT;
  using scale = SCALE;
  static constexpr int emax = element_emax<ELEMENT>(typename ELEMENT::family());
  static constexpr bool power_of_two = SCALE::has_nan || !ELEMENT::fixed_grid;
  // Floor(log2) of the largest scaled operand: with the nearest fit, that of -2^(W-1).
  static constexpr int top = power_of_two ? emax : emax + 1;
};

constexpr int bits_for_signed(int low, int high) { return 1 + bits_for(larger(high, -low)); }

// The largest of N numbers, by a tree; `numbers` is used up.
template <int W, int N>
HWGEN_INLINE ap_uint<W> largest_of(ap_uint<W> (&numbers)[N]) {
  for (int n = N; n > 1; n = (n + 1) / 2) {
    for (int i = 0; i < n / 2; ++i) {
      const ap_uint<W> other = numbers[i + (n + 1) / 2];
      numbers[i] = other > numbers[i] ? other : numbers[i];
    }
  }
  return numbers[0];
}

// What is known of the operands of format X that were seen so far.
template <class X, class BLOCK>
struct seen_traits {
  using scale = typename BLOCK::scale;
  static constexpr int p = X::precision;
  // Exponents before clamping.
  static constexpr int lowest = X::lsb - BLOCK::top;
  static constexpr int highest = X::lsb + X::offset_max + p - 1 - BLOCK::emax + (BLOCK::power_of_two ? 0 : 1);
  static constexpr int bits =
      bits_for_signed(smaller(lowest, scale::lowest) - 1, larger(larger(highest, scale::highest), 0));
  // Whether every subnormal, and the smallest normal number, gets an exponent that is clamped to the lowest: then the
  // leading ones of subnormals need not be found.
  static constexpr bool subnormals_clamped =
      X::offset_max > 0 && X::lsb + p - 1 - BLOCK::emax + (BLOCK::power_of_two ? 0 : 1) <= scale::lowest;
  static constexpr bool normalised = X::normalised || subnormals_clamped;
  // Whether the largest operands get a lower exponent than they ask for, so that they may saturate.
  static constexpr bool clamps_above = highest > scale::highest;
};

template <class X, class BLOCK, bool POWER_OF_TWO = BLOCK::power_of_two>
struct seen;

// Power of two: the largest offset; and of the operands at the bottom of the exponent range, the OR of the
// significands, whose leading one is that of the largest. No operand is compared with another one bit by bit.
template <class X, class BLOCK>
struct seen<X, BLOCK, true> {
  using traits = seen_traits<X, BLOCK>;
  using scale = typename BLOCK::scale;
  using term_t = term_of<X>;
  static constexpr int width = bits_for(X::offset_max) + X::precision + 1;

  typename term_t::offset_t offset;
  ap_uint<X::precision> bottom;
  ap_uint<1> invalid;

  template <int N>
  static HWGEN_INLINE seen among(const ap_uint<X::width> (&operands)[N]) {
    typename term_t::offset_t offsets[N];
    seen s;
    s.bottom = 0;
    s.invalid = 0;
    for (int i = 0; i < N; ++i) {
      const unpacked<term_t> x = unpack<X>(operands[i]);
      offsets[i] = x.value.offset;
      s.bottom |= x.value.offset == 0 ? x.value.significand : ap_uint<X::precision>(0);
      s.invalid |= x.is_nan | x.is_inf;
    }
    s.offset = largest_of(offsets);
    return s;
  }
  // As one word, of which 0 means that nothing was seen.
  HWGEN_INLINE ap_uint<width> word() const {
    constexpr int p = X::precision;
    return (ap_uint<width>(offset) << (p + 1)) | (ap_uint<width>(bottom) << 1) | ap_uint<width>(invalid);
  }
  static HWGEN_INLINE seen of_word(ap_uint<width> word) {
    seen s;
    s.offset = word >> (X::precision + 1);
    s.bottom = word >> 1;
    s.invalid = word[0];
    return s;
  }
  HWGEN_INLINE seen with(seen other) const {
    seen s;
    s.offset = other.offset > offset ? other.offset : offset;
    s.bottom = bottom | other.bottom;
    s.invalid = invalid | other.invalid;
    return s;
  }
  // The exponent, counted from the lowest of the scale.
  HWGEN_INLINE ap_uint<scale::width> scale_offset() const {
    using exponent_t = ap_int<traits::bits>;
    const exponent_t if_normal = exponent_t(offset) + exponent_t(X::lsb + X::precision - 1 - BLOCK::emax);
    const exponent_t zeros = traits::normalised || offset != 0 ? exponent_t(0) : exponent_t(leading_zeros(bottom));
    const exponent_t wanted = if_normal - zeros;
    const ap_uint<1> all_zero = offset == 0 && bottom == 0;
    const exponent_t clamped = wanted < scale::lowest    ? exponent_t(scale::lowest)
                               : wanted > scale::highest ? exponent_t(scale::highest)
                                                         : wanted;
    const exponent_t chosen = all_zero ? exponent_t(scale::of_zero) : clamped;
    return chosen - exponent_t(scale::lowest);
  }
};

// Nearest fit: the largest of the exponents that the operands ask for one by one, since a larger magnitude of the same
// sign never asks for less. Relative to `lowest` - 1, so that 0 stands for "none but zeros".
template <class X, class BLOCK>
struct seen<X, BLOCK, false> {
  using traits = seen_traits<X, BLOCK>;
  using scale = typename BLOCK::scale;
  using term_t = term_of<X>;
  using offset_t = ap_uint<bits_for(traits::highest - traits::lowest + 1)>;
  static constexpr int width = bits_for(traits::highest - traits::lowest + 1) + 1;

  offset_t offset;
  ap_uint<1> invalid;

  // What one operand asks for.
  static HWGEN_INLINE offset_t asked_by(term_t x) {
    constexpr int p = X::precision;
    constexpr int w = BLOCK::element::width;
    using exponent_t = ap_int<traits::bits>;
    const ap_uint<bits_for(p)> zeros =
        traits::normalised ? ap_uint<bits_for(p)>(0) : ap_uint<bits_for(p)>(leading_zeros(x.significand));
    const ap_uint<p> normal = x.significand << zeros;
    // With |x| = 2^t * s, 1 <= s < 2: positive numbers fit at t - (W-2) unless s > 2 - 2^-(W-1), where the top W bits
    // are ones and something lies below; negative ones fit at t - (W-1) unless s > 1 + 2^-W.
    constexpr int below_w = larger(p - w, 0);
    constexpr int below_w1 = larger(p - w - 1, 0);
    const ap_uint<p> fraction = normal & (ap_uint<p>(~ap_uint<p>(0)) >> 1);
    const ap_uint<p> ones = ap_uint<p>(ap_uint<p>(~ap_uint<p>(0)) >> below_w) << below_w;
    const ap_uint<1> positive_up = p > w && normal > ones;
    const ap_uint<p> unit = p > w ? ap_uint<p>(ap_uint<p>(1) << below_w1) : ap_uint<p>(0);
    const ap_uint<1> negative_up = fraction > unit;
    const exponent_t t = exponent_t(x.offset) + exponent_t(X::lsb + p - 1) - exponent_t(zeros);
    const exponent_t asked = x.negative ? exponent_t(t - exponent_t(BLOCK::emax + 1) + exponent_t(negative_up))
                                        : exponent_t(t - exponent_t(BLOCK::emax) + exponent_t(positive_up));
    return x.significand == 0 ? offset_t(0) : offset_t(asked - exponent_t(traits::lowest - 1));
  }
  template <int N>
  static HWGEN_INLINE seen among(const ap_uint<X::width> (&operands)[N]) {
    offset_t offsets[N];
    seen s;
    s.invalid = 0;
    for (int i = 0; i < N; ++i) {
      const unpacked<term_t> x = unpack<X>(operands[i]);
      offsets[i] = asked_by(x.value);
      s.invalid |= x.is_nan | x.is_inf;
    }
    s.offset = largest_of(offsets);
    return s;
  }
  HWGEN_INLINE ap_uint<width> word() const { return (ap_uint<width>(offset) << 1) | ap_uint<width>(invalid); }
  static HWGEN_INLINE seen of_word(ap_uint<width> word) {
    seen s;
    s.offset = word >> 1;
    s.invalid = word[0];
    return s;
  }
  HWGEN_INLINE seen with(seen other) const {
    seen s;
    s.offset = other.offset > offset ? other.offset : offset;
    s.invalid = invalid | other.invalid;
    return s;
  }
  HWGEN_INLINE ap_uint<scale::width> scale_offset() const {
    using exponent_t = ap_int<traits::bits>;
    const exponent_t wanted = exponent_t(offset) + exponent_t(traits::lowest - 1);
    const exponent_t clamped = wanted < scale::lowest    ? exponent_t(scale::lowest)
                               : wanted > scale::highest ? exponent_t(scale::highest)
                                                         : wanted;
    const exponent_t chosen = offset == 0 ? exponent_t(scale::of_zero) : clamped;
    return chosen - exponent_t(scale::lowest);
  }
};

// The scale of the operands that were seen, as its format has it.
template <class X, class BLOCK>
HWGEN_INLINE ap_uint<BLOCK::scale::width> scale_of(seen<X, BLOCK> all) {
  using scale = typename BLOCK::scale;
  return all.invalid ? scale::invalid() : scale::code(all.scale_offset());
}

// One activation of a first pass over a stream: N operands more. `so_far` is the word of what the frame had before.
template <class X, class BLOCK, int N>
HWGEN_INLINE ap_uint<seen<X, BLOCK>::width> seen_also(ap_uint<seen<X, BLOCK>::width> so_far,
                                                      ap_uint<X::width * N> operands) {
  ap_uint<X::width> x[N];
  split_word<X::width, N>(operands, x);
  return seen<X, BLOCK>::of_word(so_far).with(seen<X, BLOCK>::among(x)).word();
}

// The scale of a frame, with the flag of an invalid one on top where the scale has no NaN.
template <class X, class BLOCK>
HWGEN_INLINE ap_uint<BLOCK::scale::width + (BLOCK::scale::has_nan ? 0 : 1)> frame_scale(
    ap_uint<seen<X, BLOCK>::width> frame) {
  using result_t = ap_uint<BLOCK::scale::width + (BLOCK::scale::has_nan ? 0 : 1)>;
  const seen<X, BLOCK> all = seen<X, BLOCK>::of_word(frame);
  const result_t flag = BLOCK::scale::has_nan ? ap_uint<1>(0) : all.invalid;
  return result_t(scale_of(all)) | (flag << BLOCK::scale::width);
}

}  // namespace hwgen
