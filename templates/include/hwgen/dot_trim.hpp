// Sums of many terms as numbers, and cutting them down to the bits that one rounding can tell apart.
#pragma once

#include "hwgen/rounding.hpp"
#include "hwgen/unpack.hpp"

namespace hwgen {

// (-1)^base * value * 2^(offset + LSB), W bits with the sign. The last bit of `value` may be a jam bit.
template <int W, int OFFSET_MAX, int LSB>
struct signed_term {
  static constexpr int width = W;
  static constexpr int offset_max = OFFSET_MAX;
  static constexpr int lsb = LSB;
  using magnitude_t = term<W - 1, OFFSET_MAX, LSB, 0>;
  ap_uint<1> base;
  typename magnitude_t::offset_t offset;
  ap_int<W> value;
};

// The special values of a sum, and the sign that it has if it is zero.
struct sum_specials {
  ap_uint<1> is_nan;
  ap_uint<1> is_inf;
  ap_uint<1> inf_sign;
  ap_uint<1> zero_sign;
};

// A sum whose exponent varies stays as it is.
template <class Y, class RULE, class T, bool VARIES>
struct trimmer {
  using term_t = T;
  static HWGEN_INLINE T run(T x) { return x; }
};

// Before it is rounded into a floating-point format: a digit above the largest finite number overflows whatever stands
// below it, so all of those can be one; bits below what the rounding of the smallest results looks at are one jam bit.
template <class Y, class RULE, class T>
struct trimmer<Y, RULE, T, false> {
  static constexpr int top = Y::lsb + Y::offset_max + Y::precision;                    // 2^top is too large
  static constexpr int low = (Y::subnormals ? Y::lsb : Y::lsb - 1) - RULE::extra - 1;  // weight of the jam bit
  static constexpr int digits = T::width - 1;
  static constexpr int above = smaller(larger(T::lsb + digits - 1 - top, 0), digits - 1);
  static constexpr int below = smaller(larger(low - T::lsb, 0), digits - 1 - above);
  static constexpr int p = digits - above - below;
  using term_t = signed_term<p + 1, 0, T::lsb + below>;

  static HWGEN_INLINE term_t run(T x) {
    using kept_t = ap_uint<p + 1>;
    const ap_uint<1> below_zero = x.value[T::width - 1];
    const ap_uint<T::width> complement = below_zero ? ap_uint<T::width>(~x.value) : ap_uint<T::width>(x.value);
    const ap_uint<1> huge = (complement >> (below + p - 1)) != 0;
    const ap_uint<1> jam = (ap_uint<T::width>(x.value) & ((ap_uint<T::width>(1) << (below + 1)) - 1)) != 0;
    const kept_t inner = kept_t(x.value >> below) & (kept_t(~kept_t(0)) >> 2);  // without the sign and the top digit
    const kept_t outer = (kept_t(below_zero) << p) | (kept_t(huge ^ below_zero) << (p - 1));
    const kept_t whole = above > 0 ? kept_t(inner | outer) : kept_t(x.value >> below);
    term_t y;
    y.base = x.base;
    y.offset = 0;
    y.value = below > 0 ? kept_t(whole | kept_t(jam)) : whole;
    return y;
  }
};

template <class Y, class RULE, class T>
using trimmer_for = trimmer<Y, RULE, T, (T::offset_max > 0)>;

// `x` as short as rounding it into the floating-point format Y under RULE allows.
template <class Y, class RULE, class T>
HWGEN_INLINE typename trimmer_for<Y, RULE, T>::term_t trimmed(T x) {
  return trimmer_for<Y, RULE, T>::run(x);
}

}  // namespace hwgen
