// Cutting a long term of constant exponent down to the bits that one rounding can tell apart.
#pragma once

#include "hwgen/rounding.hpp"
#include "hwgen/unpack.hpp"

namespace hwgen {

// A term whose exponent varies, or that is rounded into a format which looks at every bit, stays as it is.
template <class Y, class RULE, class T, class FAMILY, bool VARIES>
struct trimmer {
  using term_t = T;
  static HWGEN_INLINE unpacked<T> run(unpacked<T> x) { return x; }
};

// Into a floating-point format: a bit above the largest finite number overflows whatever stands below it, so all of
// those can be one bit; bits below what the rounding of the smallest results looks at are one jam bit.
template <class Y, class RULE, class T>
struct trimmer<Y, RULE, T, float_tag, false> {
  static constexpr int top = Y::lsb + Y::offset_max + Y::precision;                    // 2^top is too large
  static constexpr int low = (Y::subnormals ? Y::lsb : Y::lsb - 1) - RULE::extra - 1;  // weight of the jam bit
  static constexpr int above = smaller(larger(T::lsb + T::precision - 1 - top, 0), T::precision - 1);
  static constexpr int below = smaller(larger(low - T::lsb, 0), T::precision - 1 - above);
  static constexpr int p = T::precision - above - below;
  using term_t = term<p, 0, T::lsb + below, 0>;

  static HWGEN_INLINE unpacked<term_t> run(unpacked<T> x) {
    const ap_uint<T::precision> v = x.value.significand;
    const ap_uint<p> kept = v >> below;
    const ap_uint<1> huge = (v >> (below + p - 1)) != 0;
    const ap_uint<1> jam = (v & ((ap_uint<T::precision + 1>(1) << (below + 1)) - 1)) != 0;
    unpacked<term_t> y;
    y.value.negative = x.value.negative;
    y.value.offset = 0;
    y.value.significand = kept;
    if (above > 0) y.value.significand |= ap_uint<p>(huge) << (p - 1);
    if (below > 0) y.value.significand |= ap_uint<p>(jam);
    y.is_nan = x.is_nan;
    y.is_inf = x.is_inf;
    return y;
  }
};

template <class Y, class RULE, class T>
using trimmer_for = trimmer<Y, RULE, T, typename Y::family, (T::offset_max > 0)>;

// `x` as short as rounding it into Y under RULE allows.
template <class Y, class RULE, class T>
HWGEN_INLINE unpacked<typename trimmer_for<Y, RULE, T>::term_t> trimmed(unpacked<T> x) {
  return trimmer_for<Y, RULE, T>::run(x);
}

}  // namespace hwgen
