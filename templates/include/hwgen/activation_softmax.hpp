// What a softmax needs beside its function units: the largest element of a vector, and differences to it.
#pragma once

#include "hwgen/activation.hpp"
#include "hwgen/convert.hpp"
#include "hwgen/fma.hpp"

namespace hwgen {

// Codes of numbers as unsigned integers of the same order. Negative floats count down from the middle, as their
// magnitudes grow; two's complement needs the sign bit inverted only.
template <class X>
HWGEN_INLINE ap_uint<X::width> ordered(ap_uint<X::width> x, float_tag) {
  const ap_uint<X::width> sign = ap_uint<X::width>(1) << (X::width - 1);
  return x[X::width - 1] ? ap_uint<X::width>(~x) : ap_uint<X::width>(x | sign);
}
template <class X>
HWGEN_INLINE ap_uint<X::width> ordered(ap_uint<X::width> x, fixed_tag) {
  return X::is_signed ? ap_uint<X::width>(x ^ (ap_uint<X::width>(1) << (X::width - 1))) : x;
}

// The code of the largest of N elements, and whether there is none to subtract: an element is NaN, or the largest is
// infinite. Of the zeros either may be the largest.
template <class X, int N>
struct largest_element {
  ap_uint<X::width> code;
  ap_uint<1> undefined;

  HWGEN_INLINE explicit largest_element(ap_uint<N * X::width> vector) : code(vector), undefined(0) {
    for (int i = 0; i < N; ++i) {
#pragma HLS unroll
      const ap_uint<X::width> element = vector >> (i * X::width);
      undefined |= unpack<X>(element).is_nan;
      if (ordered<X>(element, typename X::family()) > ordered<X>(code, typename X::family())) code = element;
    }
    undefined |= unpack<X>(code).is_inf;
  }
};

// x - y, exact, then rounded in mode M and saturated, in the fixed format D. NaN is 0.
template <class X, class D, mode M>
HWGEN_INLINE ap_uint<D::width> difference(ap_uint<X::width> x, ap_uint<X::width> y) {
  using one_t = float_format<2, 0, 1, specials::none, false>;
  const ap_uint<one_t::width> minus_one = 5;  // sign, exponent field 01
  using rule = rounding<M, overflow::saturate>;
  return fma<X, one_t, X, D, rule>(y, minus_one, x);
}

}  // namespace hwgen
