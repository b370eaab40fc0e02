// Shifts that forget nothing: what falls off the end is remembered in one bit.
#pragma once

#include "hwgen/format.hpp"

namespace hwgen {

// What a circuit is built for, where both can be had: few levels of logic, or few LUTs.
enum class goal { depth, area };

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

// Shifts right by `amount`, and the jam bit beside that.
template <int W, int A, goal GOAL>
struct jamming_shifter {
  static HWGEN_INLINE window<W> run(ap_uint<W> v, ap_uint<A> amount) {
    // Room for every amount that its bits can say, so that the shifter needs no test for too much.
    constexpr int room = larger(W, 1 << A);
    const ap_uint<room> placed = ap_uint<room>(v) << (room - W);
    window<W> x;
    x.kept = (placed >> amount) >> (room - W);
#if defined(HWGEN_LOWER) || defined(__SYNTHESIS__)
    x.jam = drops_a_one<W, A>(v, amount);
#else
    // A processor shifts back and compares: few instructions, of which it has vector ones too.
    x.jam = ((ap_uint<room>(x.kept) << (room - W)) << amount) != placed;
#endif
    return x;
  }
};

// Steps of 0 to 3 times 2^LOG2, then longer ones, each telling what it drops from what it is given.
template <int W, int A, int LOG2, bool MORE>
struct jamming_steps {
  static constexpr int bits = A - LOG2 > 1 ? 2 : 1;
  static constexpr int unit = 1 << LOG2;
  static constexpr int most = smaller((1 << bits) - 1, (W + unit - 1) / unit);
  static HWGEN_INLINE window<W> run(window<W> x, ap_uint<A> amount) {
    const ap_uint<bits> digit = amount >> LOG2;
    window<W> y;
    y.jam = x.jam;
    for (int part = 0; part < most; ++part)
      y.jam |= ap_uint<1>(digit > part && ap_uint<unit>(x.kept >> (unit * part)) != 0);
    y.kept = x.kept >> (ap_uint<A>(digit) << LOG2);
    return jamming_steps<W, A, LOG2 + 2, (LOG2 + 2 < A)>::run(y, amount);
  }
};
template <int W, int A, int LOG2>
struct jamming_steps<W, A, LOG2, false> {
  static HWGEN_INLINE window<W> run(window<W> x, ap_uint<A>) { return x; }
};
#if defined(HWGEN_LOWER) || defined(__SYNTHESIS__)
template <int W, int A>
struct jamming_shifter<W, A, goal::area> {
  static HWGEN_INLINE window<W> run(ap_uint<W> v, ap_uint<A> amount) {
    return jamming_steps<W, A, 0, true>::run(window<W>{v, 0}, amount);
  }
};
#endif

// Place `v` at the top of a W-bit window, W >= P, and shift it right by any amount.
template <int W, goal GOAL = goal::depth, int P, int A>
HWGEN_INLINE window<W> shift_into_window(ap_uint<P> v, ap_uint<A> amount) {
  constexpr int near = bits_for(W - 1);
  const ap_uint<1> far = A > near && (amount >> near) != 0;
  const window<W> shifted = jamming_shifter<W, near, GOAL>::run(ap_uint<W>(v) << (W - P), amount);
  return window<W>{far ? ap_uint<W>(0) : shifted.kept, far ? ap_uint<1>(v != 0) : shifted.jam};
}

// The top KEPT of the W bits of `v` shifted left by `amount`, which moves no one out; the jam bit is what is below
// them.
template <int KEPT, int W, int A>
HWGEN_INLINE window<KEPT> shift_to_top(ap_uint<W> v, ap_uint<A> amount) {
  constexpr int below = W - KEPT;
  window<KEPT> top;
#if defined(HWGEN_LOWER) || defined(__SYNTHESIS__)
  // Only the top needs a shifter: far first, for then the near shift has few places left to see to.
  constexpr int near = A > 4 ? 4 : A - 1;
  constexpr int seen = smaller(W, KEPT + (1 << near) - 1);
  constexpr int room = larger(W, 1 << A);
  const ap_uint<A> far_amount = (amount >> near) << near;
  const ap_uint<near> near_amount = amount;
  const ap_uint<seen> far = ((ap_uint<room>(v) << (room - W)) << far_amount) >> (room - seen);
  top.kept = ap_uint<seen>(far << near_amount) >> (seen - KEPT);
  // What is left below it are `below` - `amount` bits: ~amount, with zeros under them.
  constexpr int bits = larger(A, bits_for(below));
  constexpr int span = (1 << bits) - 1;
  const ap_uint<span> low = ap_uint<span>(v) << (span - below);
  top.jam = below > 0 ? drops_a_one<span, bits>(low, ap_uint<bits>(~ap_uint<bits>(amount))) : ap_uint<1>(0);
#else
  const ap_uint<W> shifted = v << amount;
  top.kept = shifted >> below;
  top.jam = (shifted & ((ap_uint<W>(1) << below) - 1)) != 0;
#endif
  return top;
}

// Into a window by at most MAX_SHIFT, with the jam bit as the last of W bits.
template <int W, int MAX_SHIFT, int P>
HWGEN_INLINE ap_uint<W> shift_right_jam(ap_uint<P> v, ap_uint<bits_for(MAX_SHIFT)> amount) {
  const window<W - 1> shifted = shift_into_window<W - 1>(v, amount);
  return (ap_uint<W>(shifted.kept) << 1) | ap_uint<W>(shifted.jam);
}

}  // namespace hwgen
