// Dot products whose formats are chosen at run time: one multiplier and one alignment a lane for several formats.
//
// As in select.hpp every format unpacks into one common term, significands at the top of the widest. All products of an
// activation are of one mode, so their sum needs no exponents on a common scale; only where they meet the addend, and
// the rounding, does the mode's smallest exponent count.
#pragma once

#include "hwgen/dot_aligned.hpp"
#include "hwgen/dot_far.hpp"
#include "hwgen/select.hpp"

namespace hwgen {

// N numbers of the formats of LIST, element 0 lowest, each in the low bits of the widest's place.
template <class LIST, int N>
struct packed_lists {
  using list = LIST;
  static constexpr int count = N;
  static constexpr int width = N * LIST::width;
};

// What a mode adds to the exponents of its products: 2^(LSB + offset).
template <class MODES>
using mode_scale = scale_term<bounds_of<MODES>::lsb, common_term<MODES>::offset_max>;

template <class MODES, int M>
HWGEN_INLINE mode_scale<MODES> scale_of_mode(ap_uint<M> mode) {
  constexpr int bits = bits_for(mode_scale<MODES>::offset_max);
  return mode_scale<MODES>{bounds_of<MODES>::template distance<bits>(mode, bounds_of<MODES>::lsb), 0};
}

// The products of two vectors; exponents count from the smallest of their mode.
template <class A, class B, int M>
struct selected_products {
  using list_a = typename A::list;
  using list_b = typename B::list;
  using modes = product_modes<list_a, list_b>;
  using product_t = typename product_of<selected_term<list_a, 0>, selected_term<list_b, 0>>::type;
  ap_uint<A::width> a;
  ap_uint<B::width> b;
  ap_uint<M> mode;

  template <int I>
  HWGEN_INLINE unpacked<product_t> product() const {
    return multiply(unpack_selected<list_a>(ap_uint<list_a::width>(a >> (I * list_a::width)), mode),
                    unpack_selected<list_b>(ap_uint<list_b::width>(b >> (I * list_b::width)), mode));
  }
  HWGEN_INLINE ap_uint<1> base() const { return product<0>().value.negative; }
};

// Round a sum into the format that `mode` selects.
template <class LIST, class RULE, int K, bool LAST>
struct sum_selector {
  template <class T, int M>
  static HWGEN_INLINE ap_uint<LIST::width> run(T x, sum_specials specials, ap_uint<M> mode,
                                               typename RULE::random_t random) {
    const ap_uint<LIST::width> here = round_sum<format_at<LIST, K>, RULE>(x, specials, random);
    const ap_uint<LIST::width> later =
        sum_selector<LIST, RULE, K + 1, (K + 2 >= LIST::count)>::run(x, specials, mode, random);
    return mode == K ? here : later;
  }
};
template <class LIST, class RULE, int K>
struct sum_selector<LIST, RULE, K, true> {
  template <class T, int M>
  static HWGEN_INLINE ap_uint<LIST::width> run(T x, sum_specials specials, ap_uint<M>, typename RULE::random_t random) {
    return round_sum<format_at<LIST, K>, RULE>(x, specials, random);
  }
};
template <class LIST, class RULE, class T, int M>
HWGEN_INLINE ap_uint<LIST::width> round_sum_selected(T x, sum_specials specials, ap_uint<M> mode,
                                                     typename RULE::random_t random) {
  return sum_selector<LIST, RULE, 0, (LIST::count == 1)>::run(x, specials, mode, random);
}

// --- exact: a window that holds every bit of any mode's products, see dot_window.hpp ---

template <class A, class B, int M>
struct selected_window_lanes {
  using products_t = selected_products<A, B, M>;
  using product_t = typename products_t::product_t;
  static constexpr int top = product_t::offset_max + product_t::precision;
  using value_t = window_sum<top + log2_up(A::count) + 1, 0>;
  products_t products;

  template <int I>
  HWGEN_INLINE value_t lane() const {
    const unpacked<product_t> p = products.template product<I>();
    using word = ap_uint<value_t::width>;
    return signed_window<value_t>(word(p.value.significand) << p.value.offset, flags_of(p), p.value.negative,
                                  products.base());
  }
  template <int I>
  HWGEN_INLINE value_t join(value_t left, value_t right) const {
    return add_windows(left, right);
  }
};

// The sum of products, moved to a window SUM that holds every mode's: by a constant of the mode.
template <class MODES, class SUM, int K, bool LAST>
struct window_mover {
  static constexpr int up = MODES::template at<K>::lsb - SUM::lsb;
  template <int M>
  static HWGEN_INLINE ap_int<SUM::width> run(ap_int<SUM::width> value, ap_uint<M> mode) {
    const ap_int<SUM::width> here = value << up;
    const ap_int<SUM::width> later = window_mover<MODES, SUM, K + 1, (K + 2 >= MODES::count)>::run(value, mode);
    return mode == K ? here : later;
  }
};
template <class MODES, class SUM, int K>
struct window_mover<MODES, SUM, K, true> {
  static constexpr int up = MODES::template at<K>::lsb - SUM::lsb;
  template <int M>
  static HWGEN_INLINE ap_int<SUM::width> run(ap_int<SUM::width> value, ap_uint<M>) {
    return value << up;
  }
};
template <class MODES, class SUM, class T, int M>
HWGEN_INLINE SUM moved_window(T sum, ap_uint<M> mode) {
  SUM s;
  s.value = window_mover<MODES, SUM, 0, (MODES::count == 1)>::run(ap_int<SUM::width>(sum.value), mode);
  s.complemented = 0;  // lane 0 gives the base, and the first of a sum's lanes is what is left to complete
  s.flags = sum.flags;
  return s;
}

// One window for the products of every mode, and for an addend of any.
template <class A, class B>
struct common_window {
  using modes = product_modes<typename A::list, typename B::list>;
  using products = common_term<modes>;
  static constexpr int lsb = products::lsb;
  static constexpr int top = lsb + products::offset_max + products::precision;
  using sum_t = window_sum<top - lsb + log2_up(A::count) + 1, lsb>;
};
template <class A, class B, class C>
using common_window_with_addend = window_with_addend<common_window<A, B>, C, A::count + 1>;

// Where exponents differ much from mode to mode, the sum keeps its own window, and its exponent is one of the mode.
template <class A, class B, class C, class Y, class RULE, int M, bool IN_WINDOW>
struct exact_dot_selected {
  using lanes = selected_window_lanes<A, B, M>;
  using modes = typename lanes::products_t::modes;
  template <class ADDEND>
  static HWGEN_INLINE ap_uint<Y::width> run(lanes products, ADDEND addend, ap_uint<M> mode,
                                            typename RULE::random_t random) {
    const auto sum = joined_lanes<lanes, 0, A::count>::run(products);
    const auto scale = scale_of_mode<modes>(mode);
    using addition = far_addition<common_result<Y, C>, RULE, typename lanes::value_t, mode_scale<modes>,
                                  common_term<addend_modes<C>>>;
    return round_sum_selected<Y, RULE>(addition::run(sum, products.products.base(), scale, addend.value),
                                       specials_of<RULE>(sum.flags | flags_of(addend), 0), mode, random);
  }
};
template <class A, class B, class C, class Y, class RULE, int M>
struct exact_dot_selected<A, B, C, Y, RULE, M, true> {
  using lanes = selected_window_lanes<A, B, M>;
  using modes = typename lanes::products_t::modes;
  using sum_t = typename common_window_with_addend<A, B, common_term<addend_modes<C>>>::sum_t;
  template <class ADDEND>
  static HWGEN_INLINE ap_uint<Y::width> run(lanes products, ADDEND addend, ap_uint<M> mode,
                                            typename RULE::random_t random) {
    const auto own = joined_lanes<lanes, 0, A::count>::run(products);
    const ap_uint<1> base = products.products.base();
    const sum_t sum = add_windows(moved_window<modes, sum_t>(own, mode), into_window<sum_t>(addend, base));
    return round_sum_selected<Y, RULE>(scaled(sum, base, scale_term<0, 0>{0, 0}), specials_of<RULE>(sum.flags, 0), mode,
                                       random);
  }
};
template <class A, class B, class Y, class RULE, int M>
struct exact_dot_selected<A, B, no_addend, Y, RULE, M, false> {
  using lanes = selected_window_lanes<A, B, M>;
  using modes = typename lanes::products_t::modes;
  static HWGEN_INLINE ap_uint<Y::width> run(lanes products, ap_uint<M> mode, typename RULE::random_t random) {
    const auto sum = joined_lanes<lanes, 0, A::count>::run(products);
    return round_sum_selected<Y, RULE>(scaled(sum, products.products.base(), scale_of_mode<modes>(mode)),
                                       specials_of<RULE>(sum.flags, 0), mode, random);
  }
};
template <class A, class B, class Y, class RULE, int M>
struct exact_dot_selected<A, B, no_addend, Y, RULE, M, true> {
  using lanes = selected_window_lanes<A, B, M>;
  using modes = typename lanes::products_t::modes;
  using sum_t = typename common_window<A, B>::sum_t;
  static HWGEN_INLINE ap_uint<Y::width> run(lanes products, ap_uint<M> mode, typename RULE::random_t random) {
    const auto sum = moved_window<modes, sum_t>(joined_lanes<lanes, 0, A::count>::run(products), mode);
    return round_sum_selected<Y, RULE>(scaled(sum, products.products.base(), scale_term<0, 0>{0, 0}),
                                       specials_of<RULE>(sum.flags, 0), mode, random);
  }
};

// y = round(a[0] * b[0] + ... + a[n-1] * b[n-1]), one rounding, in the formats that `mode` selects.
template <class A, class B, class Y, class RULE, int M>
HWGEN_INLINE ap_uint<Y::width> dot_exact_selected(ap_uint<A::width> a, ap_uint<B::width> b, ap_uint<M> mode,
                                                  typename RULE::random_t random = typename RULE::random_t()) {
  using own = typename selected_window_lanes<A, B, M>::value_t;
  // A constant exponent is worth that many bits: sums are normalised in the steps that count their zeros.
  constexpr bool in_window = common_window<A, B>::sum_t::width <= own::width + 24;
  return exact_dot_selected<A, B, no_addend, Y, RULE, M, in_window>::run({{a, b, mode}}, mode, random);
}
// With an addend c.
template <class A, class B, class C, class Y, class RULE, int M>
HWGEN_INLINE ap_uint<Y::width> dot_exact_selected(ap_uint<A::width> a, ap_uint<B::width> b, ap_uint<C::width> c,
                                                  ap_uint<M> mode,
                                                  typename RULE::random_t random = typename RULE::random_t()) {
  using lanes = selected_window_lanes<A, B, M>;
  using addend = common_term<addend_modes<C>>;
  using apart = sum_widths<
      common_result<Y, C>, RULE,
      typename scaled_sum<typename lanes::value_t, mode_scale<typename lanes::products_t::modes>>::magnitude_t, addend>;
  constexpr bool in_window = common_window_with_addend<A, B, addend>::sum_t::width <= apart::width;
  return exact_dot_selected<A, B, C, Y, RULE, M, in_window>::run({{a, b, mode}}, addend_selected<C>(c, mode), mode,
                                                                 random);
}

// --- aligned: terms cut W bits below the largest exponent, see dot_aligned.hpp ---

// The largest exponent of the products that are not zero; zeros have none.
template <class A, class B, int M>
struct selected_exponent_lanes {
  using products_t = selected_products<A, B, M>;
  using offset_t = typename products_t::product_t::offset_t;
  struct value_t {
    ap_uint<1> any;
    offset_t offset;
  };
  products_t products;

  template <int I>
  HWGEN_INLINE value_t lane() const {
    const auto p = products.template product<I>().value;
    return value_t{ap_uint<1>(~p.zero), p.offset};
  }
  template <int I>
  HWGEN_INLINE value_t join(value_t left, value_t right) const {
    const ap_uint<1> of_left = left.any & (~right.any | ap_uint<1>(left.offset > right.offset));
    return of_left ? left : right;
  }
};

// The products, cut: `largest` counts from the smallest exponent of their mode, and is not below that of any product
// but zeros.
template <class A, class B, int M, class SUM, class EXPONENT, int W, shifted_out CUT>
struct selected_aligned_lanes {
  using value_t = SUM;
  selected_products<A, B, M> products;
  EXPONENT largest;

  template <int I>
  HWGEN_INLINE SUM lane() const {
    const auto p = products.template product<I>();
    const EXPONENT distance = largest - EXPONENT(p.value.offset);
    return signed_window<SUM>(aligned_significand<CUT, W + 2>(p.value.significand, distance), flags_of(p),
                              p.value.negative, products.base());
  }
  template <int I>
  HWGEN_INLINE SUM join(SUM left, SUM right) const {
    return add_windows(left, right);
  }
};

// The addends of every mode as one format, for aligned_addend of dot_aligned.hpp.
template <class C>
struct common_addend {
  using common = common_term<addend_modes<C>>;
  static constexpr int precision = common::precision;
  static constexpr int offset_max = common::offset_max;
  static constexpr int lsb = common::lsb;
  static constexpr bool normalised = false;
  template <int M>
  static HWGEN_INLINE unpacked<term_of<common_addend>> unpack(ap_uint<C::width> c, ap_uint<M> mode) {
    return on_common_scale<addend_modes<C>, term_of<common_addend>>(unpack_selected<C>(c, mode), mode);
  }
};

// Exponents of first bits in any mode: of products, one below their top, and of the addend C on the common scale.
template <class MODES, class C>
struct selected_exponents {
  using products = common_term<MODES>;
  static constexpr int of_products = products::lsb + products::precision - 2;
  static constexpr int of_addend = C::lsb + C::precision - 1;
  static constexpr int low = smaller(of_products, of_addend);
  static constexpr int high = larger(of_products + products::offset_max, of_addend + C::offset_max);
};
template <class MODES>
struct selected_exponents<MODES, no_addend> {
  using products = common_term<MODES>;
  static constexpr int of_products = products::lsb + products::precision - 2;
  static constexpr int low = of_products;
  static constexpr int high = low + products::offset_max;
};

template <class A, class B, class C, class Y, class RULE, int M, int W, shifted_out CUT>
struct aligned_dot_selected {
  using products_t = selected_products<A, B, M>;
  using range = selected_exponents<typename products_t::modes, C>;
  using exponents = exponent_range<range::low, range::high>;
  using exponent_t = typename exponents::type;
  using largest_lanes = selected_exponent_lanes<A, B, M>;
  using sum_t = window_sum<W + 2 + log2_up(A::count + 1) + 1, 0>;
  using lanes = selected_aligned_lanes<A, B, M, sum_t, exponent_t, W, CUT>;

  template <class ADDEND>
  static HWGEN_INLINE ap_uint<Y::width> run(products_t products, ADDEND addend, typename RULE::random_t random) {
    const ap_uint<M> mode = products.mode;
    const auto first = joined_lanes<largest_lanes, 0, A::count>::run(largest_lanes{products});
    const exponent_t smallest = exponent_t(scale_of_mode<typename products_t::modes>(mode).offset) +
                                exponent_t(range::of_products - range::low);
    const exponent_t of_products = first.any ? exponent_t(smallest + exponent_t(first.offset)) : exponent_t(0);
    const exponent_t largest = addend.larger_of(of_products);
    const sum_t sum = joined_lanes<lanes, 0, A::count>::run(lanes{products, exponent_t(largest - smallest)});
    const sum_t total = addend.template add_to<sum_t, W, CUT>(sum, largest, products.base());
    const scale_term<range::low - W, range::high - range::low> place = {largest, 0};
    return round_sum_selected<Y, RULE>(scaled(total, products.base(), place), specials_of<RULE>(total.flags, 0), mode,
                                       random);
  }
};

// y = round(sum of the aligned products), W bits below the largest exponent, cut as CUT says, in the formats that
// `mode` selects.
template <class A, class B, class Y, class RULE, int W, shifted_out CUT, int M>
HWGEN_INLINE ap_uint<Y::width> dot_aligned_selected(ap_uint<A::width> a, ap_uint<B::width> b, ap_uint<M> mode,
                                                    typename RULE::random_t random = typename RULE::random_t()) {
  using unit = aligned_dot_selected<A, B, no_addend, Y, RULE, M, W, CUT>;
  return unit::run({a, b, mode}, aligned_addend<no_addend, typename unit::exponents>(), random);
}
// With an addend c.
template <class A, class B, class C, class Y, class RULE, int W, shifted_out CUT, int M>
HWGEN_INLINE ap_uint<Y::width> dot_aligned_selected(ap_uint<A::width> a, ap_uint<B::width> b, ap_uint<C::width> c,
                                                    ap_uint<M> mode,
                                                    typename RULE::random_t random = typename RULE::random_t()) {
  using unit = aligned_dot_selected<A, B, common_addend<C>, Y, RULE, M, W, CUT>;
  using addend = aligned_addend<common_addend<C>, typename unit::exponents>;
  return unit::run({a, b, mode}, addend{common_addend<C>::unpack(c, mode)}, random);
}

}  // namespace hwgen
