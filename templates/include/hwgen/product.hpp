// Exact products of significands.
#pragma once

#include "hwgen/format.hpp"

namespace hwgen {

// Two bits of b at a time select 0, a, 2a or 3a, and halves of b are summed in a tree. An addition of two selected rows
// costs one six-input LUT a bit beside its carry chain, where partial products of one bit each, compressed by full
// adders, cost two LUTs for every bit of every row.
template <int WA, int WB, bool ONE_DIGIT>
struct digit_products {
  static constexpr int low = WB > 8 ? (WB > 16 ? (WB > 32 ? 32 : 16) : 8) : (WB > 4 ? 4 : 2);  // bits of the lower half
  static HWGEN_INLINE ap_uint<WA + WB> sum(ap_uint<WA> a, ap_uint<WA + 2> triple, ap_uint<WB> b) {
    const ap_uint<WA + low> lower = digit_products<WA, low, (low <= 2)>::sum(a, triple, b);
    const ap_uint<WA + WB - low> upper = digit_products<WA, WB - low, (WB - low <= 2)>::sum(a, triple, b >> low);
    const ap_uint<WA + WB - low> top = (lower >> low) + upper;
    return (ap_uint<WA + WB>(top) << low) | (lower & ((ap_uint<WA + low>(1) << low) - 1));
  }
};
template <int WA, int WB>
struct digit_products<WA, WB, true> {
  static HWGEN_INLINE ap_uint<WA + WB> sum(ap_uint<WA> a, ap_uint<WA + 2> triple, ap_uint<WB> b) {
    const ap_uint<WA + 2> even = b == 2 ? ap_uint<WA + 2>(ap_uint<WA + 2>(a) << 1) : ap_uint<WA + 2>(0);
    return b == 3 ? triple : b == 1 ? ap_uint<WA + 2>(a) : even;
  }
};

// a * b. The circuit for LUTs is written out where this library's own flow makes it; other tools are left the choice of
// a DSP block, and processors their multiplier.
template <int WA, int WB>
HWGEN_INLINE ap_uint<WA + WB> significand_product(ap_uint<WA> a, ap_uint<WB> b) {
#ifdef HWGEN_LOWER
  constexpr int wide = larger(WA, WB);
  constexpr int narrow = smaller(WA, WB);
  if (narrow > 4) {
    const ap_uint<wide> x = WA > WB ? ap_uint<wide>(a) : ap_uint<wide>(b);
    const ap_uint<narrow> digits = WA > WB ? ap_uint<narrow>(b) : ap_uint<narrow>(a);
    const ap_uint<wide + 2> triple = ap_uint<wide + 2>(x) + (ap_uint<wide + 2>(x) << 1);
    return digit_products<wide, narrow, (narrow <= 2)>::sum(x, triple, digits);
  }
#endif
  return a * b;
}

}  // namespace hwgen
