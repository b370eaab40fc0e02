// How far the addresses of a command reach, in as few bits as it takes to tell whether that is beyond a memory.
//
// Fields have up to 16 bits, and the end of an operand is a product of up to five of them. All that is asked of it is
// whether it lies beyond a memory of at most 2^BITS words, and its value if it does not.
#pragma once

#include "hwgen/format.hpp"

namespace hwgen {
namespace trainer {

// A number below 2^BITS, or the fact that it is not below.
template <int BITS>
struct bounded {
  ap_uint<BITS> value;  // means nothing if `beyond`
  bool beyond;
};

// The ones of x and all bits below: bit i says whether x >= 2^i.
template <int W>
HWGEN_INLINE ap_uint<W> filled_below(ap_uint<W> x) {
  ap_uint<W> filled = x;
  for (int step = 1; step < W; step *= 2) {
#pragma HLS unroll
    filled |= filled >> step;
  }
  return filled;
}

// Whether leading ones alone show that a * b >= 2^BITS: a >= 2^i and b >= 2^(BITS - i). If not, a * b < 2^(BITS + 1).
template <int BITS, int A, int B>
HWGEN_INLINE bool plainly_beyond(ap_uint<A> a, ap_uint<B> b) {
  const ap_uint<A> reached_by_a = filled_below(a);
  const ap_uint<B> reached_by_b = filled_below(b);
  ap_uint<1> found = 0;
  for (int i = larger(0, BITS + 1 - B); i < smaller(A, BITS + 1); ++i) {
#pragma HLS unroll
    found |= ap_uint<1>(reached_by_a >> i) & ap_uint<1>(reached_by_b >> (BITS - i));
  }
  return found != 0;
}

// a * b, where one bit more than asked for shows what the leading ones do not.
template <int BITS, int A, int B>
HWGEN_INLINE bounded<BITS> product(ap_uint<A> a, ap_uint<B> b) {
  const ap_uint<BITS + 1> low = ap_uint<BITS + 1>(a) * ap_uint<BITS + 1>(b);
  bounded<BITS> p;
  p.value = low;
  p.beyond = plainly_beyond<BITS>(a, b) || (low >> BITS) != 0;
  return p;
}
// The same of a product; what is multiplied is positive, so it stays beyond.
template <int BITS, int A, int B>
HWGEN_INLINE bounded<BITS> product(bounded<A> a, ap_uint<B> b) {
  bounded<BITS> p = product<BITS>(a.value, b);
  p.beyond = p.beyond || a.beyond;
  return p;
}

// The term (count - 1) * stride of an address. If not `beyond` it is exact, and else 2^BITS or more on either side.
template <int BITS>
struct reach {
  ap_int<BITS + 2> by;
  bool beyond;

  static HWGEN_INLINE reach of(ap_uint<16> count, ap_int<16> stride) {
    const ap_uint<16> last = count - 1;
    const bool down = stride < 0;
    const ap_uint<15> ones = down ? ap_int<16>(~stride) : stride;  // the magnitude, or one less
    const ap_uint<16> twice = (ap_uint<16>(ones) << 1) | ap_uint<16>(stride != 0);
    const ap_uint<BITS + 1> low = ap_uint<BITS + 1>(last) * ap_uint<BITS + 1>(ap_int<BITS + 1>(stride));
    reach r;
    r.beyond = plainly_beyond<BITS + 1>(last, twice);
    r.by = (ap_uint<BITS + 2>(down && last != 0) << (BITS + 1)) | low;
    return r;
  }
};

// The words of a memory from `low` to `last`; neither means anything if `beyond`.
struct span {
  ap_uint<16> low;
  ap_uint<21> last;
  bool beyond;

  // Whether they are in a memory of 2^address_bits words.
  HWGEN_INLINE bool inside(int address_bits) const { return !beyond && (last >> address_bits) == 0; }
  // The halves of that memory that they touch, as two bits, if they are in it.
  HWGEN_INLINE ap_uint<2> halves(int address_bits) const {
    const ap_uint<1> from_upper = low >> (address_bits - 1);
    const ap_uint<1> in_upper = last >> (address_bits - 1);
    return ap_uint<2>(!from_upper) | (ap_uint<2>(in_upper) << 1);
  }
};

}  // namespace trainer
}  // namespace hwgen
