// Sums in a window: fixed point wide enough for every bit that a term can have, so that nothing is ever lost.
#pragma once

#include "hwgen/dot_lanes.hpp"
#include "hwgen/dot_operand.hpp"
#include "hwgen/fixed.hpp"
#include "hwgen/mul.hpp"

namespace hwgen {

// A sum in W bits with last place 2^LSB, seen from the sign of the first term: the others are added or subtracted, each
// on the carry chain that it needs anyway.
template <int W, int LSB>
struct window_sum {
  static constexpr int width = W;
  static constexpr int lsb = LSB;
  ap_int<W> value;
  ap_uint<1> complemented;  // a one is still to be added to `value`
  term_flags flags;
};

// A magnitude in the window with a sign, for a sum that is seen from the sign `base`.
template <class SUM>
HWGEN_INLINE SUM signed_window(ap_uint<SUM::width> magnitude, term_flags flags, ap_uint<1> negative, ap_uint<1> base) {
  SUM s;
  s.complemented = negative ^ base;
  s.value = s.complemented ? ap_uint<SUM::width>(~magnitude) : magnitude;
  s.flags = flags;
  return s;
}

// A term in the window.
template <class SUM, class T>
HWGEN_INLINE SUM into_window(unpacked<T> x, ap_uint<1> base) {
  using word = ap_uint<SUM::width>;
  const word placed = (word(x.value.significand) << (T::lsb - SUM::lsb)) << x.value.offset;
  return signed_window<SUM>(placed, flags_of(x), x.value.negative, base);
}

template <class SUM>
HWGEN_INLINE SUM add_windows(SUM a, SUM b) {
  // The one that completes b enters as a carry, from a column below. As a third summand it would cost an adder: sums
  // of many are regrouped by compilers, and all those ones added up first.
  using longer = ap_int<SUM::width + 1>;
  const longer left = (longer(a.value) << 1) | longer(ap_uint<SUM::width + 1>(b.complemented));
  const longer right = (longer(b.value) << 1) | longer(ap_uint<SUM::width + 1>(b.complemented));
  SUM s;
  s.value = longer(left + right) >> 1;
  s.complemented = a.complemented;
  s.flags = a.flags | b.flags;
  return s;
}

// The products, lane by lane. INTEGER: two's complement throughout, where both formats are fixed.
template <class A, class B, class SUM, bool INTEGER>
struct product_lanes {
  using value_t = SUM;
  using element_a = typename A::element;
  using element_b = typename B::element;
  ap_uint<A::width> a;
  ap_uint<B::width> b;

  HWGEN_INLINE ap_uint<1> base() const {
    return unpack<element_a>(element_of<A, 0>(a)).value.negative ^
           unpack<element_b>(element_of<B, 0>(b)).value.negative;
  }
  template <int I>
  HWGEN_INLINE SUM lane() const {
    return into_window<SUM>(multiply(unpack<element_a>(element_of<A, I>(a)), unpack<element_b>(element_of<B, I>(b))),
                            base());
  }
  template <int I>
  HWGEN_INLINE SUM join(SUM left, SUM right) const {
    return add_windows(left, right);
  }
};
template <class A, class B, class SUM>
struct product_lanes<A, B, SUM, true> {
  using value_t = SUM;
  using element_a = typename A::element;
  using element_b = typename B::element;
  ap_uint<A::width> a;
  ap_uint<B::width> b;

  HWGEN_INLINE ap_uint<1> base() const { return 0; }
  template <int I>
  HWGEN_INLINE SUM lane() const {
    const ap_uint<element_a::width> x = element_of<A, I>(a);
    const ap_uint<element_b::width> y = element_of<B, I>(b);
    const ap_uint<1> negative = unpack<element_a>(x).value.negative ^ unpack<element_b>(y).value.negative;
    SUM s;
    s.value = ap_int<SUM::width>(integer_product(integer_of<element_a>(x), integer_of<element_b>(y)).value)
              << (element_a::lsb + element_b::lsb - SUM::lsb);
    s.complemented = 0;
    s.flags = term_flags{0, 0, 0, negative, negative};
    return s;
  }
  template <int I>
  HWGEN_INLINE SUM join(SUM left, SUM right) const {
    return add_windows(left, right);
  }
};

// The addend in the window; two's complement if it is fixed.
template <class SUM, class C, bool INTEGER>
struct addend_in_window {
  static HWGEN_INLINE SUM run(ap_uint<C::width> c, ap_uint<1> base) { return into_window<SUM>(unpack<C>(c), base); }
};
template <class SUM, class C>
struct addend_in_window<SUM, C, true> {
  static HWGEN_INLINE SUM run(ap_uint<C::width> c, ap_uint<1> base) {
    const ap_int<SUM::width> placed = ap_int<SUM::width>(integer_of<C>(c).value) << (C::lsb - SUM::lsb);
    return signed_window<SUM>(placed, flags_of(unpack<C>(c)), 0, base);
  }
};

// The bits that N products can have.
template <class A, class B>
struct product_window {
  using product_t = typename product_of<term_of<typename A::element>, term_of<typename B::element>>::type;
  static constexpr int lsb = product_t::lsb;
  static constexpr int top = lsb + product_t::offset_max + product_t::precision;  // each is below 2^top
  static constexpr bool integer = A::element::fixed_grid && B::element::fixed_grid;
  static constexpr bool scaled = A::scaled || B::scaled;
  using sum_t = window_sum<top - lsb + log2_up(A::count) + 1, lsb>;
};
// With an addend among them: N terms altogether.
template <class PRODUCTS, class C, int N>
struct window_with_addend {
  using products = PRODUCTS;
  static constexpr int lsb = smaller(products::lsb, C::lsb);
  static constexpr int top = larger(products::top, C::lsb + C::offset_max + C::precision);
  using sum_t = window_sum<top - lsb + log2_up(N) + 1, lsb>;
};
template <class A, class B, class C>
using shared_window = window_with_addend<product_window<A, B>, C, A::count + 1>;

// The sum as a number; its scale is the offset.
template <class SUM, class SCALE>
using scaled_sum = signed_term<SUM::width, SCALE::offset_max, SUM::lsb + SCALE::lsb>;

template <class SUM, class SCALE>
HWGEN_INLINE scaled_sum<SUM, SCALE> scaled(SUM sum, ap_uint<1> base, SCALE scale) {
  return scaled_sum<SUM, SCALE>{base, scale.offset, sum.value};
}

}  // namespace hwgen
