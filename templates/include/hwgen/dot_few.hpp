// Which sums of products have so few terms that they are added in the order of their exponents, and those terms.
#pragma once

#include "hwgen/dot_lanes.hpp"
#include "hwgen/dot_operand.hpp"
#include "hwgen/dot_ordered.hpp"
#include "hwgen/mul.hpp"

namespace hwgen {

template <class F>
using operand_term = typename operand_form<F, typename F::family>::type;

// Products with their scale; with one, the offset does not tell whether a factor is subnormal.
template <class A, class B>
struct ordered_products {
  using product_t = typename product_of<operand_term<typename A::element>, operand_term<typename B::element>>::type;
  using scale_t = scale_of_product<A, B>;
  static constexpr int lead = A::scaled || B::scaled ? product_t::lead : product_t::lead_off;
  using term_t = product_form<product_t::precision, product_t::offset_max + scale_t::offset_max,
                              product_t::lsb + scale_t::lsb, product_t::lead, lead, product_t::offset_min>;

  template <int I>
  static HWGEN_INLINE unpacked<term_t> product(ap_uint<A::width> a, ap_uint<B::width> b, scale_t scale) {
    const auto p = multiply(unpack_operand<typename A::element>(element_of<A, I>(a)),
                            unpack_operand<typename B::element>(element_of<B, I>(b)));
    unpacked<term_t> x;
    x.value.negative = p.value.negative;
    x.value.offset = typename term_t::offset_t(p.value.offset) + typename term_t::offset_t(scale.offset);
    x.value.significand = p.value.significand;
    x.value.zero = p.value.zero;
    x.is_inf = p.is_inf;
    x.is_nan = p.is_nan;
    return x;
  }
};

// The third term, beside two products: the addend, a product, or nothing.
template <class A, class B, class C, int COUNT>
struct ordered_third;

template <class A, class B, class C>
struct ordered_third<A, B, C, 2> {
  using term_t = operand_term<C>;
  template <class SCALE>
  static HWGEN_INLINE unpacked<term_t> term(ap_uint<A::width>, ap_uint<B::width>, ap_uint<C::width> c, SCALE) {
    return unpack_operand<C>(c);
  }
  static HWGEN_INLINE term_flags flags(unpacked<term_t> x) { return flags_of(x); }
};
template <class A, class B>
struct ordered_third<A, B, no_addend, 2> {
  using term_t = typename ordered_products<A, B>::term_t;
  template <class SCALE>
  static HWGEN_INLINE unpacked<term_t> term(ap_uint<A::width>, ap_uint<B::width>, ap_uint<1>, SCALE) {
    unpacked<term_t> nothing;
    nothing.value.negative = 0;
    nothing.value.offset = 0;
    nothing.value.significand = 0;
    nothing.value.zero = 1;
    nothing.is_nan = 0;
    nothing.is_inf = 0;
    return nothing;
  }
  static HWGEN_INLINE term_flags flags(unpacked<term_t>) { return term_flags{0, 0, 0, 1, 0}; }
};
template <class A, class B>
struct ordered_third<A, B, no_addend, 3> {
  using products = ordered_products<A, B>;
  using term_t = typename products::term_t;
  template <class SCALE>
  static HWGEN_INLINE unpacked<term_t> term(ap_uint<A::width> a, ap_uint<B::width> b, ap_uint<1>, SCALE scale) {
    return products::template product<2>(a, b, scale);
  }
  static HWGEN_INLINE term_flags flags(unpacked<term_t> x) { return flags_of(x); }
};

// Two or three terms, all formats floating-point.
constexpr bool is_floating(float_tag) { return true; }
template <class FAMILY>
constexpr bool is_floating(FAMILY) {
  return false;
}
template <class A, class B, class Y>
constexpr bool are_floats() {
  return is_floating(typename A::family()) && is_floating(typename B::family()) && is_floating(typename Y::family());
}
template <class A, class B, class C, class Y>
struct few_terms {
  static constexpr bool value =
      A::count == 2 && are_floats<typename A::element, typename B::element, Y>() && is_floating(typename C::family());
};
template <class A, class B, class Y>
struct few_terms<A, B, no_addend, Y> {
  static constexpr bool value =
      (A::count == 2 || A::count == 3) && are_floats<typename A::element, typename B::element, Y>();
};

// Whether ordering them is smaller than a window of WIDTH bits: a place costs the same in both, but the order costs
// multiplexers for every term. Half as many places again is where both came out equal.
template <class A, class B, class C, class Y, class RULE, int WIDTH, bool FEW>
struct ordering_pays {
  static constexpr bool value = false;
};
template <class A, class B, class C, class Y, class RULE, int WIDTH>
struct ordering_pays<A, B, C, Y, RULE, WIDTH, true> {
  using widths = ordered_widths<Y, RULE, typename ordered_products<A, B>::term_t,
                                typename ordered_third<A, B, C, A::count>::term_t>;
  static constexpr bool value = 2 * WIDTH > 3 * widths::width;
};

}  // namespace hwgen
