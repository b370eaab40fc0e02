// Sums of products of digits of four bits and more, each multiplied on its own.
#pragma once

#include "hwgen/trainer/booth.hpp"
#include "hwgen/trainer/digits.hpp"
#include "hwgen/trainer/multiply.hpp"

namespace hwgen {
namespace trainer {

// Digit `lane` of a line, signed if `top`.
template <int DIGIT, int LINE>
HWGEN_INLINE ap_int<DIGIT + 1> signed_digit(ap_uint<LINE> line, int lane, ap_uint<1> top) {
  const ap_uint<DIGIT> digit = line >> (DIGIT * lane);
  const ap_uint<1> negative = top & ap_uint<1>(digit >> (DIGIT - 1));
  return ap_int<DIGIT + 1>((ap_uint<DIGIT + 1>(negative) << DIGIT) | digit);
}

// The sum of COUNT numbers from `terms` on, by a tree.
template <int COUNT, int BITS>
struct summed {
  static constexpr int bits = BITS + bits_for(COUNT - 1);
  static HWGEN_INLINE ap_int<bits> of(const ap_int<BITS>* terms) {
    return summed<COUNT / 2, BITS>::of(terms) + summed<COUNT - COUNT / 2, BITS>::of(terms + COUNT / 2);
  }
};
template <int BITS>
struct summed<1, BITS> {
  static HWGEN_INLINE ap_int<BITS> of(const ap_int<BITS>* terms) { return terms[0]; }
};

template <class CORE>
struct digit_products {
  static constexpr int units = CORE::rows * CORE::cols;
  static constexpr int line = CORE::digit * CORE::lanes;
  static constexpr int bits = bits_for(CORE::lanes * largest_product(CORE::digit)) + 1;
  using packed = ap_uint<bits * units>;

  // The sums of one clock, unit u in row u / cols and column u % cols.
  static HWGEN_INLINE packed of(word_a<CORE> a, word_b<CORE> b, marks mark) {
    packed word = 0;
    for (int row = 0; row < CORE::rows; ++row) {
#pragma HLS unroll
      for (int col = 0; col < CORE::cols; ++col) {
#pragma HLS unroll
        const ap_int<bits> sum = dot(ap_uint<line>(a >> (line * row)), ap_uint<line>(b >> (line * col)), mark);
        word |= packed(ap_uint<bits>(sum)) << (bits * (CORE::cols * row + col));
      }
    }
    return word;
  }
  static HWGEN_INLINE ap_int<bits> number(packed word, int unit) { return ap_uint<bits>(word >> (bits * unit)); }

 private:
  static HWGEN_INLINE ap_int<bits> dot(ap_uint<line> a, ap_uint<line> b, marks mark) {
    constexpr int product_bits = 2 * CORE::digit + 1;
    ap_int<product_bits> products[CORE::lanes];
    for (int lane = 0; lane < CORE::lanes; ++lane) {
#pragma HLS unroll
      products[lane] = booth_product<CORE::digit + 1, CORE::digit + 1>(
          signed_digit<CORE::digit, line>(a, lane, mark.top_a), signed_digit<CORE::digit, line>(b, lane, mark.top_b));
    }
    return summed<CORE::lanes, product_bits>::of(products);
  }
};

}  // namespace trainer
}  // namespace hwgen
