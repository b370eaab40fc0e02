// From an element and its shared scale back to a plain number, rounded once.
#pragma once

#include "hwgen/pack.hpp"
#include "hwgen/quantize_scale.hpp"
#include "hwgen/round.hpp"

namespace hwgen {

// element * 2^e, exactly. The exponent only adds to the offset, so a large offset says nothing about the significand.
template <class BLOCK>
struct scaled_element {
  using element = typename BLOCK::element;
  using scale = typename BLOCK::scale;
  static constexpr int lead = element::normalised ? element::precision - 1 : 0;
  using type = term<element::precision, element::offset_max + scale::highest - scale::lowest,
                    element::lsb + scale::lowest, lead, lead>;
};

// y = round(element * 2^e); NaN where the scale is.
template <class BLOCK, class Y, class RULE>
HWGEN_INLINE ap_uint<Y::width> dequantize(ap_uint<BLOCK::element::width> code, ap_uint<BLOCK::scale::width> scale_code,
                                          typename RULE::random_t random = typename RULE::random_t()) {
  using scale = typename BLOCK::scale;
  using product_t = typename scaled_element<BLOCK>::type;
  const unpacked<term_of<typename BLOCK::element>> element = unpack<typename BLOCK::element>(code);
  unpacked<product_t> product;
  product.value.negative = element.value.negative;
  product.value.offset =
      typename product_t::offset_t(element.value.offset) + typename product_t::offset_t(scale::offset(scale_code));
  product.value.significand = element.value.significand;
  product.is_nan = element.is_nan | scale::is_nan(scale_code);
  product.is_inf = element.is_inf;
  return round_to<Y, RULE>(product, random);
}

// A block of N elements with its scale on top, to N numbers, element 0 lowest; random words as well.
template <class BLOCK, class Y, class RULE, int N>
HWGEN_INLINE ap_uint<Y::width * N> dequantize_word(
    const ap_uint<BLOCK::element::width * N + BLOCK::scale::width>& block,
    const element_words<typename RULE::random_t, N>& random = element_words<typename RULE::random_t, N>()) {
  constexpr int bits = BLOCK::element::width;
  ap_uint<bits> elements[N];
  split_word<bits, N>(block, elements);
  const ap_uint<BLOCK::scale::width> scale = block >> (bits * N);
  ap_uint<Y::width> y[N];
  for (int i = 0; i < N; ++i) y[i] = dequantize<BLOCK, Y, RULE>(elements[i], scale, random.word[i]);
  return joined_word<Y::width, N>(y);
}

}  // namespace hwgen
