// The operands of a dot product: words that hold n numbers of one format, with or without a shared scale.
#pragma once

#include "hwgen/unpack.hpp"

namespace hwgen {

// What multiplies every element of an operand: 2^(LSB + offset), 0 <= offset <= OFFSET_MAX; or nothing.
template <int LSB, int OFFSET_MAX>
struct scale_term {
  static constexpr int lsb = LSB;
  static constexpr int offset_max = OFFSET_MAX;
  using offset_t = ap_uint<bits_for(OFFSET_MAX)>;
  offset_t offset;
  ap_uint<1> is_nan;
};

struct no_scale {
  static constexpr int width = 0;
  using term_t = scale_term<0, 0>;
  template <int W>
  static HWGEN_INLINE term_t unpack(ap_uint<W>, int) {
    return term_t{0, 0};
  }
};
// OCP E8M0: 2^(code - 127), the last code is NaN.
struct e8m0_scale {
  static constexpr int width = 8;
  using term_t = scale_term<-127, 254>;
  template <int W>
  static HWGEN_INLINE term_t unpack(ap_uint<W> word, int at) {
    const ap_uint<8> code = word >> at;
    return term_t{code, ap_uint<1>(code == 255)};
  }
};
// A two's complement exponent of E bits: flipping its sign bit makes it an offset.
template <int E>
struct exponent_scale {
  static constexpr int width = E;
  using term_t = scale_term<-(1 << (E - 1)), (1 << E) - 1>;
  template <int W>
  static HWGEN_INLINE term_t unpack(ap_uint<W> word, int at) {
    const ap_uint<E> code = word >> at;
    return term_t{ap_uint<E>(code ^ (ap_uint<E>(1) << (E - 1))), 0};
  }
};

// N numbers of format F, element 0 lowest, their scale on top.
template <class F, int N, class SCALE = no_scale>
struct packed {
  using element = F;
  using scale = typename SCALE::term_t;
  static constexpr int count = N;
  static constexpr int width = N * F::width + SCALE::width;
  static constexpr bool scaled = SCALE::width > 0;
  static HWGEN_INLINE scale scale_of(ap_uint<width> word) { return SCALE::unpack(word, N * F::width); }
};

// The pattern of element I.
template <class P, int I>
HWGEN_INLINE ap_uint<P::element::width> element_of(ap_uint<P::width> word) {
  return word >> (I * P::element::width);
}

// The format of an addend that is not there.
struct no_addend {
  static constexpr int width = 1;
};

// Both scales together.
template <class A, class B>
using scale_of_product = scale_term<A::scale::lsb + B::scale::lsb, A::scale::offset_max + B::scale::offset_max>;

template <class A, class B>
HWGEN_INLINE scale_of_product<A, B> product_scale(ap_uint<A::width> a, ap_uint<B::width> b) {
  const typename A::scale s = A::scale_of(a);
  const typename B::scale t = B::scale_of(b);
  scale_of_product<A, B> product;
  product.offset = s.offset + t.offset;
  product.is_nan = s.is_nan | t.is_nan;
  return product;
}

}  // namespace hwgen
