// Quantisation to elements that share a power-of-two scale: a whole block at once, or element by element under a given
// scale.
#pragma once

#include "hwgen/pack.hpp"
#include "hwgen/quantize_scale.hpp"
#include "hwgen/round.hpp"

namespace hwgen {

// The element format with one more bit of range: what saturates in ELEMENT is larger here.
template <class ELEMENT, class FAMILY = typename ELEMENT::family>
struct with_headroom;
template <class ELEMENT>
struct with_headroom<ELEMENT, float_tag> {
  using type = float_format<ELEMENT::exponent_width + 1, ELEMENT::mantissa_width, ELEMENT::bias, specials::none,
                            ELEMENT::subnormals>;
};
template <class ELEMENT>
struct with_headroom<ELEMENT, fixed_tag> {
  using type = fixed_format<ELEMENT::width + 1, ELEMENT::fraction, true>;
};

// An operand of format X after scaling. The weight of its last bit is X::lsb + offset - e; what is limited to a window
// outside of which nothing changes: below it, the operand is less than anything a rounding decision looks at; above
// it, even a significand of 1 is beyond every element. FITS says that e was chosen for the operand.
template <class X, class BLOCK, class RULE, bool FITS>
struct scaled_by {
  using element = typename BLOCK::element;
  using scale = typename BLOCK::scale;
  using traits = seen_traits<X, BLOCK>;
  static constexpr int p = X::precision;
  static constexpr int e_highest =
      FITS ? smaller(scale::highest, larger(traits::highest, scale::of_zero)) : scale::highest;
  static constexpr int lowest = larger(element::lsb - RULE::extra - p, X::lsb - e_highest);

  static constexpr int reach = X::lsb + X::offset_max - scale::lowest;
  static constexpr int beyond = BLOCK::emax + (element::fixed_grid ? 2 : 1);  // -2^(W-1) is an element
  // With its own exponent, a normal operand has its leading one at BLOCK::top or below; and at the bottom of the
  // exponent range operands are scaled by 2^-scale::lowest at most.
  static constexpr int of_normal = X::offset_max == 0 ? lowest : BLOCK::top + 1 - p;
  static constexpr int of_bottom = X::normalised ? lowest : smaller(X::lsb - scale::lowest, BLOCK::top);
  static constexpr int fitted = FITS && !traits::clamps_above ? larger(of_normal, of_bottom) : beyond;
  static constexpr int highest = larger(smaller(smaller(fitted, beyond), reach), lowest);

  static constexpr int lead = X::normalised ? p - 1 : 0;
  using type = term<p, highest - lowest, lowest, lead, lead>;
  // Holds every unlimited weight.
  static constexpr int bits = bits_for_signed(smaller(X::lsb - scale::highest, lowest),
                                              larger(X::lsb + X::offset_max + 1 - scale::lowest, highest));
};

// Divide by 2^e, where e lies `scale_offset` above the scale's lowest exponent.
template <class BLOCK, class RULE, bool FITS, class X>
HWGEN_INLINE unpacked<typename scaled_by<X, BLOCK, RULE, FITS>::type> scale_down(
    unpacked<term_of<X>> x, ap_uint<BLOCK::scale::width> scale_offset) {
  using by = scaled_by<X, BLOCK, RULE, FITS>;
  using weight_t = ap_int<by::bits>;
  const weight_t weight = weight_t(x.value.offset) - weight_t(scale_offset) + weight_t(X::lsb - BLOCK::scale::lowest);
  const weight_t limited = weight < by::lowest    ? weight_t(by::lowest)
                           : weight > by::highest ? weight_t(by::highest)
                                                  : weight;
  unpacked<typename by::type> s;
  s.value.negative = x.value.negative;
  s.value.offset = limited - weight_t(by::lowest);
  s.value.significand = x.value.significand;
  s.is_nan = x.is_nan;
  s.is_inf = x.is_inf;
  return s;
}

// --- blocks ---

template <class BLOCK, int N>
struct block_of {
  ap_uint<BLOCK::element::width> element[N];
  ap_uint<BLOCK::scale::width> scale;
  ap_uint<1> invalid;
};

// N operands to one block, with the exponent of its largest magnitude. A NaN or an infinity makes the block invalid:
// zero elements, and the NaN scale (exponent 0 where the scale has no NaN).
template <class X, class BLOCK, class RULE, int N>
HWGEN_INLINE block_of<BLOCK, N> quantize_block(const ap_uint<X::width> (&x)[N],
                                               const typename RULE::random_t (&random)[N]) {
  using scale = typename BLOCK::scale;
  using element = typename BLOCK::element;
  static_assert(RULE::on_overflow == overflow::saturate, "elements that share a scale always saturate");
  const seen<X, BLOCK> all = seen<X, BLOCK>::among(x);
  const ap_uint<scale::width> scale_offset = all.scale_offset();

  block_of<BLOCK, N> block;
  block.invalid = all.invalid;
  block.scale = scale_of(all);
  for (int i = 0; i < N; ++i) {
    unpacked<term_of<X>> operand = unpack<X>(x[i]);
    operand.is_nan = operand.is_inf = 0;  // they have made the block invalid
    const ap_uint<element::width> rounded =
        round_to<element, RULE>(scale_down<BLOCK, RULE, true, X>(operand, scale_offset), random[i]);
    block.element[i] = all.invalid ? ap_uint<element::width>(0) : rounded;
  }
  return block;
}

// The same on words: operands and random words element 0 lowest; elements, above them the scale, and on top, where the
// scale has no NaN, the flag of an invalid block.
template <class BLOCK, int N>
struct block_word {
  static constexpr int element_bits = BLOCK::element::width * N;
  static constexpr int flag_bits = BLOCK::scale::has_nan ? 0 : 1;
  using type = ap_uint<element_bits + BLOCK::scale::width + flag_bits>;
};

template <class X, class BLOCK, class RULE, int N>
HWGEN_INLINE typename block_word<BLOCK, N>::type quantize_word(
    const ap_uint<X::width * N>& operands,
    const element_words<typename RULE::random_t, N>& random = element_words<typename RULE::random_t, N>()) {
  using word_t = typename block_word<BLOCK, N>::type;
  constexpr int element_bits = block_word<BLOCK, N>::element_bits;
  ap_uint<X::width> x[N];
  split_word<X::width, N>(operands, x);
  const block_of<BLOCK, N> block = quantize_block<X, BLOCK, RULE, N>(x, random.word);
  const word_t elements = joined_word<BLOCK::element::width, N>(block.element);
  const word_t flag = BLOCK::scale::has_nan ? ap_uint<1>(0) : block.invalid;
  return elements | (word_t(block.scale) << element_bits) | (flag << (element_bits + BLOCK::scale::width));
}

// --- elements under a given scale ---

// Cut a result with headroom to the element format.
template <class ELEMENT>
HWGEN_INLINE ap_uint<ELEMENT::width> narrowed(ap_uint<ELEMENT::width + 1> wide, ap_uint<1>& beyond, float_tag) {
  constexpr int bits = ELEMENT::width - 1;
  const ap_uint<bits + 1> magnitude = wide;
  const ap_uint<1> negative = wide[bits + 1];
  beyond = magnitude > ap_uint<bits + 1>(ELEMENT::max_finite());
  const ap_uint<bits> kept = beyond ? ap_uint<bits>(ELEMENT::max_finite()) : ap_uint<bits>(magnitude);
  const ap_uint<1> sign = ELEMENT::encoding == specials::fnuz && kept == 0 ? ap_uint<1>(0) : negative;
  return (ap_uint<ELEMENT::width>(sign) << bits) | ap_uint<ELEMENT::width>(kept);
}
template <class ELEMENT>
HWGEN_INLINE ap_uint<ELEMENT::width> narrowed(ap_uint<ELEMENT::width + 1> wide, ap_uint<1>& beyond, fixed_tag) {
  constexpr int w = ELEMENT::width;
  const ap_uint<1> negative = wide[w];
  const ap_uint<w> largest = ap_uint<w>(~ap_uint<w>(0)) >> 1;
  beyond = negative ^ wide[w - 1];
  return beyond ? (negative ? ap_uint<w>(~largest) : largest) : ap_uint<w>(wide);
}

// One operand under a given scale: the element, and on top whether it overflows, that is, saturates because it is
// beyond the largest element once rounded. Infinities and NaN count as overflows. Under the scale NaN it is 0, and an
// overflow.
template <class X, class BLOCK, class RULE>
HWGEN_INLINE ap_uint<BLOCK::element::width + 1> quantize_element(
    ap_uint<X::width> x, ap_uint<BLOCK::scale::width> scale_code,
    typename RULE::random_t random = typename RULE::random_t()) {
  static_assert(RULE::on_overflow == overflow::saturate, "elements that share a scale always saturate");
  using scale = typename BLOCK::scale;
  using element = typename BLOCK::element;
  using family = typename element::family;
  using wide = typename with_headroom<element>::type;
  constexpr int bits = element::width;
  const unpacked<term_of<X>> operand = unpack<X>(x);
  ap_uint<1> beyond = 0;
  const ap_uint<bits> number = narrowed<element>(
      round_to<wide, RULE>(scale_down<BLOCK, RULE, false, X>(operand, scale::offset(scale_code)), random), beyond,
      family());
  const ap_uint<1> overflows = beyond | operand.is_nan | operand.is_inf | scale::is_nan(scale_code);
  const ap_uint<bits> code = scale::is_nan(scale_code) ? ap_uint<bits>(0)
                             : operand.is_nan          ? nan_code<element>(family())
                                                       : number;
  return (ap_uint<bits + 1>(overflows) << bits) | ap_uint<bits + 1>(code);
}

}  // namespace hwgen
