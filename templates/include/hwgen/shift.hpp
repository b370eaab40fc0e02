// Shifts that forget nothing: what falls off the end is remembered in one bit.
#pragma once

#include "hwgen/format.hpp"

namespace hwgen {

// A window of W bits and the jam bit: the OR of everything below the window. Window and jam bit together behave in
// sums, differences and every rounding as the exact value does, as long as no rounding position falls on the jam bit
// itself.
template <int W>
struct window {
  ap_uint<W> kept;
  ap_uint<1> jam;
};

// Whether `v` shifted right by `amount` drops a one. Known from the amount alone, so that it does not wait for the
// shifter: a group of four bits is dropped whole, or in part when the amount ends in it, or not at all.
template <int W, int A>
HWGEN_INLINE ap_uint<1> drops_a_one(ap_uint<W> v, ap_uint<A> amount) {
  const ap_uint<A + 2> groups = ap_uint<A + 2>(amount) >> 2;  // dropped whole
  const ap_uint<2> rest = amount;
  ap_uint<1> dropped = 0;
  for (int group = 0; 4 * group < W; ++group) {
    const ap_uint<4> bits = v >> (4 * group);
    const ap_uint<1> in_part = (rest > 0 && bits[0]) || (rest > 1 && bits[1]) || (rest > 2 && bits[2]);
    dropped |= groups > group ? ap_uint<1>(bits != 0) : ap_uint<1>(groups == group && in_part);
  }
  return dropped;
}

// Place `v` at the top of a W-bit window, W >= P, and shift it right by any amount.
template <int W, int P, int A>
HWGEN_INLINE window<W> shift_into_window(ap_uint<P> v, ap_uint<A> amount) {
  // The shifter takes the low bits of the amount, and a window of 2^near bits, so that it needs no test for too much.
  constexpr int near = bits_for(W - 1);
  constexpr int room = 1 << near;
  const ap_uint<near> places = amount;
  const ap_uint<1> far = A > near && (amount >> near) != 0;
  const ap_uint<room> placed = ap_uint<room>(v) << (room - P);
  const ap_uint<W> kept = (placed >> places) >> (room - W);
#if defined(HWGEN_LOWER) || defined(__SYNTHESIS__)
  const ap_uint<1> dropped = drops_a_one<W, near>(ap_uint<W>(v) << (W - P), places);
#else
  // A processor shifts back and compares: few instructions, of which it has vector ones too.
  const ap_uint<1> dropped = ((ap_uint<room>(kept) << (room - W)) << places) != placed;
#endif
  window<W> shifted;
  shifted.kept = far ? ap_uint<W>(0) : kept;
  shifted.jam = far ? ap_uint<1>(v != 0) : dropped;
  return shifted;
}

// The same by at most MAX_SHIFT, with the jam bit as the last of W bits.
template <int W, int MAX_SHIFT, int P>
HWGEN_INLINE ap_uint<W> shift_right_jam(ap_uint<P> v, ap_uint<bits_for(MAX_SHIFT)> amount) {
  const window<W - 1> shifted = shift_into_window<W - 1>(v, amount);
  return (ap_uint<W>(shifted.kept) << 1) | ap_uint<W>(shifted.jam);
}

}  // namespace hwgen
