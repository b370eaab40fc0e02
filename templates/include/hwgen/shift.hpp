// Shifts that forget nothing: what falls off the end is remembered in the last bit.
#pragma once

#include "hwgen/format.hpp"

namespace hwgen {

// Place `v` at the top of a W-bit window and shift it right by `amount` <= MAX_SHIFT. The last bit of the result is the
// jam bit: the OR of everything shifted below it. A window with a jam bit behaves under +, - and every rounding as the
// exact value does, as long as no rounding position falls on the jam bit itself.
template <int W, int MAX_SHIFT, int P>
HWGEN_INLINE ap_uint<W> shift_right_jam(ap_uint<P> v, ap_uint<bits_for(MAX_SHIFT)> amount) {
  // Long enough for the deepest shift to keep every bit; synthesis drops the half that only feeds the OR.
  const int full = larger(P + MAX_SHIFT, W);
  const ap_uint<full> shifted = (ap_uint<full>(v) << (full - P)) >> amount;
  const int below = full - W + 1;  // bits that share the jam position
  const ap_uint<W> kept = shifted >> (full - W);
  const ap_uint<1> jam = (shifted & ((ap_uint<full>(1) << below) - 1)) != 0;
  return ((kept >> 1) << 1) | ap_uint<W>(jam);
}

}  // namespace hwgen
