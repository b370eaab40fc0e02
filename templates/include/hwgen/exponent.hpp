// E8M0, the power-of-two scale of OCP Microscaling blocks, as an operand or result: 2^(code - 127), all ones is NaN.
//
// There is no zero and no sign: zero and negative results are NaN, positive ones below 2^-127 are 2^-127.
#pragma once

#include "hwgen/lzc.hpp"
#include "hwgen/rounding.hpp"
#include "hwgen/unpack.hpp"

namespace hwgen {

struct exponent_tag {};

struct exponent_format {
  using family = exponent_tag;
  static constexpr int width = 8;
  static constexpr int bias = 127;
  static constexpr int code_max = 254;
  static constexpr bool has_inf = false;
  static constexpr bool has_nan = true;

  static constexpr int precision = 1;
  static constexpr int lsb = -bias;
  static constexpr int offset_max = code_max;
  static constexpr bool normalised = true;
  static constexpr bool fixed_grid = false;
  static constexpr bool subnormals = false;

  static HWGEN_INLINE ap_uint<width> nan() { return 0xff; }
};

template <class F>
HWGEN_INLINE unpacked<term_of<F>> unpack(ap_uint<F::width> x, exponent_tag) {
  unpacked<term_of<F>> u;
  u.value.negative = 0;
  u.value.offset = x;
  u.value.significand = 1;
  u.is_inf = 0;
  u.is_nan = x == F::nan();
  return u;
}

// Widths of the rounding datapath from term T to a power of two.
template <class Y, class RULE, class T>
struct round_exponent_widths {
  static constexpr int code_min = T::lsb + T::precision - 1 + Y::bias;  // of a leading one at the top, offset 0
  // Where only terms of offset 0 have leading zeros, a few of those make the smallest scale already.
  static constexpr int any_lz = T::precision - 1 - T::lead;
  static constexpr bool short_at_zero = T::offset_max > 0 && T::lead_off == T::precision - 1;
  static constexpr int max_lz = short_at_zero ? smaller(any_lz, larger(code_min, 0) + 1) : any_lz;
  static constexpr int body = larger(T::precision, 1 + RULE::extra);  // there are always `extra` bits to look at
  static constexpr int below = body - 1 - RULE::extra;                // bits that only count as sticky
  static constexpr int code_bits =
      1 + bits_for(larger(larger(code_min + T::offset_max + 1, max_lz - code_min), larger(Y::code_max, T::offset_max)));
};

template <class Y, class RULE, class T>
HWGEN_INLINE ap_uint<Y::width> round_to(unpacked<T> x, typename RULE::random_t random, exponent_tag) {
  using w = round_exponent_widths<Y, RULE, T>;
  using code_t = ap_int<w::code_bits>;
  const code_t lz =
      w::max_lz == 0
          ? code_t(0)
          : code_t(leading_zeros<larger(w::max_lz, 1)>(x.value.significand >> (T::precision - larger(w::max_lz, 1))));
  const ap_uint<w::body> normalised = ap_uint<w::body>(x.value.significand)
                                      << (w::body - T::precision + ap_uint<bits_for(w::max_lz)>(lz));
  const ap_uint<1> is_zero = x.value.significand == 0;

  // The significand, 1.f, goes to 1 or 2. Its last place is the leading one: it is odd.
  const ap_uint<RULE::extra> extra = normalised >> w::below;
  const ap_uint<1> sticky = (normalised & ((ap_uint<w::body>(1) << w::below) - 1)) != 0;
  const ap_uint<1> up = rounds_up<RULE>(0, 1, extra, sticky, random);
  const code_t code = code_t(x.value.offset) + code_t(w::code_min) - lz + code_t(up);

  const ap_uint<1> beyond = x.is_inf | ap_uint<1>(code > code_t(Y::code_max));
  const bool stays = RULE::on_overflow == overflow::saturate;
  const ap_uint<Y::width> largest = Y::code_max;
  const ap_uint<1> has_no_end = stays ? ap_uint<1>(0) : ap_uint<1>(x.is_inf | overflows_to_infinity<RULE>(0));
  const ap_uint<Y::width> finite = code < 0 ? ap_uint<Y::width>(0) : ap_uint<Y::width>(code);
  const ap_uint<Y::width> ranged = beyond ? (has_no_end ? Y::nan() : largest) : finite;
  const ap_uint<1> invalid = x.is_nan | x.value.negative | (is_zero & ~x.is_inf);
  return invalid ? Y::nan() : ranged;
}

}  // namespace hwgen
