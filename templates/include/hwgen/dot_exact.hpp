// The exact sum of n products and an addend, one rounding.
//
// Exactness under cancellation needs a window of every bit a product can have (Kulisch): whatever cancels, the next
// smaller term may decide. It is 42 bits for e4m3, 64 for e5m2, 522 for bf16, and as many more as a sum can carry. An
// addend whose own range is much wider stays out of the window: see dot_far.hpp. Two or three terms do without such a
// window: see dot_ordered.hpp.
#pragma once

#include "hwgen/dot_far.hpp"
#include "hwgen/dot_few.hpp"
#include "hwgen/dot_round.hpp"
#include "hwgen/dot_window.hpp"

namespace hwgen {

enum class addend_place { none, in_window, apart, in_order };  // in_order: of exponents, products too

// Where the addend is cheaper: both windows are measured, unless the formats leave no choice.
template <class A, class B, class C, class Y, class RULE, bool INTEGER, bool SCALED>
struct addend_placing {
  using sum_t = typename product_window<A, B>::sum_t;
  using apart = sum_widths<Y, RULE, typename scaled_sum<sum_t, scale_of_product<A, B>>::magnitude_t, term_of<C>>;
  static constexpr int shared = shared_window<A, B, C>::sum_t::width;
  // The scale is the products' alone.
  static constexpr addend_place place =
      !SCALED && shared <= apart::width ? addend_place::in_window : addend_place::apart;
  static constexpr int width = place == addend_place::apart ? apart::width : shared;
};
template <class A, class B, class C, class Y, class RULE>
struct addend_placing<A, B, C, Y, RULE, true, false> {
  static constexpr addend_place place = addend_place::in_window;
  static constexpr int width = shared_window<A, B, C>::sum_t::width;
};
template <class A, class B, class Y, class RULE, bool INTEGER, bool SCALED>
struct addend_placing<A, B, no_addend, Y, RULE, INTEGER, SCALED> {
  static constexpr addend_place place = addend_place::none;
  static constexpr int width = product_window<A, B>::sum_t::width;
};
template <class A, class B, class C, class Y, class RULE, bool INTEGER>
struct exact_placing {
  using windows = addend_placing<A, B, C, Y, RULE, INTEGER, (A::scaled || B::scaled)>;
  static constexpr bool in_order = ordering_pays<A, B, C, Y, RULE, windows::width, few_terms<A, B, C, Y>::value>::value;
  static constexpr addend_place place = in_order ? addend_place::in_order : windows::place;
};

// Round a sum in a window; where all formats are fixed it is the integer to be rounded.
template <class Y, class RULE, bool INTEGER>
struct window_rounder {
  template <class SUM, class SCALE>
  static HWGEN_INLINE ap_uint<Y::width> run(SUM sum, ap_uint<1> base, SCALE scale, typename RULE::random_t random) {
    return round_sum<Y, RULE>(scaled(sum, base, scale), specials_of<RULE>(sum.flags, scale.is_nan), random);
  }
};
template <class Y, class RULE>
struct window_rounder<Y, RULE, true> {
  template <class SUM, class SCALE>
  static HWGEN_INLINE ap_uint<Y::width> run(SUM sum, ap_uint<1>, SCALE, typename RULE::random_t random) {
    return round_integer<Y, RULE>(integer<SUM::width, SUM::lsb>{sum.value}, random);
  }
};

template <class A, class B, class C, class Y, class RULE, addend_place PLACE>
struct exact_dot;

template <class A, class B, class C, class Y, class RULE>
struct exact_dot<A, B, C, Y, RULE, addend_place::none> {
  using window = product_window<A, B>;
  using lanes = product_lanes<A, B, typename window::sum_t, window::integer>;
  static HWGEN_INLINE ap_uint<Y::width> run(ap_uint<A::width> a, ap_uint<B::width> b, ap_uint<C::width>,
                                            typename RULE::random_t random) {
    const lanes products = {a, b};
    const auto sum = joined_lanes<lanes, 0, A::count>::run(products);
    constexpr bool integer = window::integer && !window::scaled && Y::fixed_grid;
    return window_rounder<Y, RULE, integer>::run(sum, products.base(), product_scale<A, B>(a, b), random);
  }
};

template <class A, class B, class C, class Y, class RULE>
struct exact_dot<A, B, C, Y, RULE, addend_place::in_window> {
  using window = shared_window<A, B, C>;
  using sum_t = typename window::sum_t;
  using lanes = product_lanes<A, B, sum_t, window::products::integer>;
  static HWGEN_INLINE ap_uint<Y::width> run(ap_uint<A::width> a, ap_uint<B::width> b, ap_uint<C::width> c,
                                            typename RULE::random_t random) {
    const lanes products = {a, b};
    const auto addend = addend_in_window<sum_t, C, C::fixed_grid>::run(c, products.base());
    const auto sum = add_windows(joined_lanes<lanes, 0, A::count>::run(products), addend);
    constexpr bool integer = window::products::integer && C::fixed_grid && Y::fixed_grid;
    return window_rounder<Y, RULE, integer>::run(sum, products.base(), product_scale<A, B>(a, b), random);
  }
};

template <class A, class B, class C, class Y, class RULE>
struct exact_dot<A, B, C, Y, RULE, addend_place::apart> {
  using window = product_window<A, B>;
  using lanes = product_lanes<A, B, typename window::sum_t, window::integer>;
  static HWGEN_INLINE ap_uint<Y::width> run(ap_uint<A::width> a, ap_uint<B::width> b, ap_uint<C::width> c,
                                            typename RULE::random_t random) {
    const lanes products = {a, b};
    const auto addend = unpack<C>(c);
    const auto sum = joined_lanes<lanes, 0, A::count>::run(products);
    const auto scale = product_scale<A, B>(a, b);
    using addition = far_addition<Y, RULE, typename window::sum_t, decltype(scale), term_of<C>>;
    return round_sum<Y, RULE>(addition::run(sum, products.base(), scale, addend.value),
                              specials_of<RULE>(sum.flags | flags_of(addend), scale.is_nan), random);
  }
};

template <class A, class B, class C, class Y, class RULE>
struct exact_dot<A, B, C, Y, RULE, addend_place::in_order> {
  using products = ordered_products<A, B>;
  using third = ordered_third<A, B, C, A::count>;
  static HWGEN_INLINE ap_uint<Y::width> run(ap_uint<A::width> a, ap_uint<B::width> b, ap_uint<C::width> c,
                                            typename RULE::random_t random) {
    const auto scale = product_scale<A, B>(a, b);
    const auto x = products::template product<0>(a, b, scale);
    const auto y = products::template product<1>(a, b, scale);
    const auto z = third::term(a, b, c, scale);
    const term_flags flags = flags_of(x) | flags_of(y) | third::flags(z);
    return round_sum<Y, RULE>(sum_in_order<Y, RULE>(x.value, y.value, z.value), specials_of<RULE>(flags, scale.is_nan),
                              random);
  }
};

// y = round(a[0] * b[0] + ... + a[n-1] * b[n-1] + c), one rounding.
template <class A, class B, class C, class Y, class RULE>
HWGEN_INLINE ap_uint<Y::width> dot_exact(ap_uint<A::width> a, ap_uint<B::width> b, ap_uint<C::width> c,
                                         typename RULE::random_t random = typename RULE::random_t()) {
  constexpr bool integer = product_window<A, B>::integer && C::fixed_grid;
  constexpr addend_place place = exact_placing<A, B, C, Y, RULE, integer>::place;
  return exact_dot<A, B, C, Y, RULE, place>::run(a, b, c, random);
}
template <class A, class B, class Y, class RULE>
HWGEN_INLINE ap_uint<Y::width> dot_exact(ap_uint<A::width> a, ap_uint<B::width> b,
                                         typename RULE::random_t random = typename RULE::random_t()) {
  constexpr addend_place place = exact_placing<A, B, no_addend, Y, RULE, false>::place;
  return exact_dot<A, B, no_addend, Y, RULE, place>::run(a, b, 0, random);
}

}  // namespace hwgen
