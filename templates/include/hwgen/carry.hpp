// A sum of two numbers and one bit.
#pragma once

#include "hwgen/format.hpp"

namespace hwgen {

// a + b + carry modulo 2^W, as one carry chain: a row below the last place carries in. For the open flow the row is
// appended by a funnel shift, because compilers see through `(a << 1) | carry` and make two additions of it again.
template <int W>
HWGEN_INLINE ap_uint<W> add_with_carry(ap_uint<W> a, ap_uint<W> b, ap_uint<1> carry) {
#ifdef HWGEN_LOWER
  using row_t = unsigned _BitInt(W + 1);
  const row_t below = row_t(carry.bits()) << W;
  const row_t a_row = __builtin_elementwise_fshl(row_t(a.bits()), below, row_t(1));
  const row_t b_row = __builtin_elementwise_fshl(row_t(b.bits()), below, row_t(1));
  return ap_uint<W + 1>(row_t(a_row + b_row)) >> 1;
#else
  return a + b + carry;
#endif
}

// Whether a + b carries out of W bits, by halves: one of them generates a carry, or the upper passes one on.
template <int W>
struct carry_tree {
  static constexpr int half = W / 2;
  static HWGEN_INLINE ap_uint<1> passes(ap_uint<W> a, ap_uint<W> b) { return (a | b) == ap_uint<W>(~ap_uint<W>(0)); }
  static HWGEN_INLINE ap_uint<1> generates(ap_uint<W> a, ap_uint<W> b) {
    const ap_uint<W - half> a_high = a >> half;
    const ap_uint<W - half> b_high = b >> half;
    return carry_tree<W - half>::generates(a_high, b_high) |
           (carry_tree<W - half>::passes(a_high, b_high) & carry_tree<half>::generates(a, b));
  }
};
template <>
struct carry_tree<1> {
  static HWGEN_INLINE ap_uint<1> passes(ap_uint<1> a, ap_uint<1> b) { return a | b; }
  static HWGEN_INLINE ap_uint<1> generates(ap_uint<1> a, ap_uint<1> b) { return a & b; }
};

}  // namespace hwgen
