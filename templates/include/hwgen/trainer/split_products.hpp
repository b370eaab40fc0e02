// A decomposable array: multipliers of 16 x 16 bits that split into four of 8 x 8.
//
// A unit multiplies `lanes` pairs of digits in a clock: those of as many products of elements of one digit, of half as
// many if one operand has two, of a quarter if both have. Sums of digit products whose weights agree are taken first.
// So no clock's sum has to move against the next one's.
//
// Where elements have two digits, a word has them side by side, the low one first, of half as many elements; the words
// of the other operand are used half by half. Lane 4 j + 2 q + p multiplies part p of an element of A by part q of one
// of B, where these have parts.
#pragma once

#include "hwgen/trainer/digit_products.hpp"

namespace hwgen {
namespace trainer {

template <class CORE>
struct split_products {
  static constexpr int units = CORE::rows * CORE::cols;
  static constexpr int digit = CORE::digit;
  static constexpr int line = digit * CORE::lanes;
  static constexpr int quarter = CORE::lanes / 4;
  // lanes / 4 products of two digits by two, each at most 2^(4 * digit - 2).
  static constexpr int bits = 4 * digit - 2 + bits_for(quarter) + 1;
  using packed = ap_uint<bits * units>;
  using line_t = ap_uint<line>;

  static HWGEN_INLINE packed of(word_a<CORE> a, word_b<CORE> b, marks mark) {
    line_t columns[CORE::cols];
    for (int col = 0; col < CORE::cols; ++col) {
#pragma HLS unroll
      columns[col] = dealt_b(line_t(b >> (line * col)), mark);
    }
    packed word = 0;
    for (int row = 0; row < CORE::rows; ++row) {
#pragma HLS unroll
      const line_t digits = dealt_a(line_t(a >> (line * row)), mark);
      for (int col = 0; col < CORE::cols; ++col) {
#pragma HLS unroll
        const ap_int<bits> sum = dot(digits, columns[col], mark);
        word |= packed(ap_uint<bits>(sum)) << (bits * (CORE::cols * row + col));
      }
    }
    return word;
  }
  static HWGEN_INLINE ap_int<bits> number(packed word, int unit) { return ap_uint<bits>(word >> (bits * unit)); }

 private:
  static HWGEN_INLINE ap_uint<digit> at(line_t word, int place) { return word >> (digit * place); }

  // The digit that each lane takes of a word of A.
  static HWGEN_INLINE line_t dealt_a(line_t word, marks mark) {
    line_t dealt = 0;
    for (int lane = 0; lane < CORE::lanes; ++lane) {
#pragma HLS unroll
      const int of_half = 2 * (lane / 4) + lane % 2;
      const ap_uint<digit> half = mark.second() ? at(word, 2 * quarter + of_half) : at(word, of_half);
      dealt |= line_t(mark.pairs_b() ? half : at(word, lane)) << (digit * lane);
    }
    return dealt;
  }
  // The same of B. Beside elements of A of one digit, lanes p = 0 and 1 have neighbouring elements.
  static HWGEN_INLINE line_t dealt_b(line_t word, marks mark) {
    line_t dealt = 0;
    for (int lane = 0; lane < CORE::lanes; ++lane) {
#pragma HLS unroll
      const int of_half = lane / 2;
      const int turned = lane - lane % 4 + 2 * (lane % 2) + lane / 2 % 2;
      const ap_uint<digit> half = mark.second() ? at(word, 2 * quarter + of_half) : at(word, of_half);
      const ap_uint<digit> whole = mark.pairs_b() ? at(word, turned) : at(word, lane);
      dealt |= line_t(mark.pairs_a() ? half : whole) << (digit * lane);
    }
    return dealt;
  }

  // Digits of which TOP says that they always have the sign, or else that they have it unless there are `pairs`.
  template <int TOP>
  static HWGEN_INLINE ap_int<digit + 1 - TOP> factor(line_t word, int lane, ap_uint<1> pairs) {
    return signed_digit<digit, line>(word, lane, TOP ? ap_uint<1>(1) : ap_uint<1>(!pairs));
  }

  // The products of parts P of A and Q of B.
  template <int P, int Q>
  static HWGEN_INLINE ap_int<bits> parts(line_t a, line_t b, marks mark) {
    constexpr int product_bits = 2 * digit + 1;
    ap_int<product_bits> products[quarter];
    for (int j = 0; j < quarter; ++j) {
#pragma HLS unroll
      const int lane = 4 * j + 2 * Q + P;
      products[j] = booth_product<digit + 1 - P, digit + 1 - Q>(factor<P>(a, lane, mark.pairs_a()),
                                                                factor<Q>(b, lane, mark.pairs_b()));
    }
    return summed<quarter, product_bits>::of(products);
  }
  static HWGEN_INLINE ap_int<bits> joined(ap_int<bits> low, ap_int<bits> high, bool pairs) {
    return low + (pairs ? ap_int<bits>(high << digit) : high);
  }
  static HWGEN_INLINE ap_int<bits> dot(line_t a, line_t b, marks mark) {
    const ap_int<bits> low = joined(parts<0, 0>(a, b, mark), parts<1, 0>(a, b, mark), mark.pairs_a());
    const ap_int<bits> high = joined(parts<0, 1>(a, b, mark), parts<1, 1>(a, b, mark), mark.pairs_a());
    return joined(low, high, mark.pairs_b());
  }
};

}  // namespace trainer
}  // namespace hwgen
