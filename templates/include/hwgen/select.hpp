// Formats that are chosen at run time: one multiplier, one alignment and one adder for several formats.
//
// Behind the operands (select_terms.hpp) there is a single datapath up to the rounding, as wide as the most demanding
// mode. Products that are short, or not longer than their addend, are added on the scale of the larger term
// (select_anchored.hpp), others where they are, as in fma.hpp.
#pragma once

#include "hwgen/fma.hpp"
#include "hwgen/select_anchored.hpp"

namespace hwgen {

// --- a product that stays where it is ---

// Term T with its significand UP places further up.
template <class T, int UP>
using raised = term<T::precision + UP, T::offset_max, T::lsb - UP, T::lead + UP, T::lead_off + UP, T::offset_min>;

// The term of mode K alone: of an addend, and of a product; the offsets of operands count from FIRST.
template <class C, int FIRST = 0>
struct addend_modes {
  static constexpr int count = C::count;
  template <int K>
  using at = raised<operand_from<FIRST, format_at<C, K>>, C::precision - format_at<C, K>::precision>;
};
template <class A, class B, int FIRST = 0>
struct product_modes {
  static constexpr int count = larger(A::count, B::count);
  template <int K>
  using at =
      raised<typename product_of<operand_from<FIRST, format_at<A, K>>, operand_from<FIRST, format_at<B, K>>>::type,
             A::precision - format_at<A, K>::precision + B::precision - format_at<B, K>::precision>;
};

// The one term type that holds the numbers of every mode.
template <class MODES, class B = bounds_of<MODES>>
using common_term = term<B::precision, B::top - B::lsb, B::lsb, B::lead, B::lead_off(B::lsb), B::bottom - B::lsb>;

// Move the exponent of a term in the format of `mode` to the scale of COMMON.
template <class MODES, class COMMON, class T, int M>
HWGEN_INLINE unpacked<COMMON> on_common_scale(unpacked<T> x, ap_uint<M> mode) {
  constexpr int bits = bits_for(COMMON::offset_max);
  const ap_uint<bits> distance = bounds_of<MODES>::template distance<bits>(mode, COMMON::lsb);
  unpacked<COMMON> u;
  u.value.negative = x.value.negative;
  u.value.offset = x.value.offset + distance;
  u.value.significand = x.value.significand;
  u.is_nan = x.is_nan;
  u.is_inf = x.is_inf;
  return u;
}

// The addend c in the format that `mode` selects.
template <class C, int FIRST = 0, int M>
HWGEN_INLINE unpacked<common_term<addend_modes<C, FIRST>>> addend_selected(ap_uint<C::width> c, ap_uint<M> mode) {
  using modes = addend_modes<C, FIRST>;
  return on_common_scale<modes, common_term<modes>>(unpack_selected<C, FIRST>(c, mode), mode);
}

// The exact product a * b in the formats that `mode` selects. It is longer than its addend here, so the two are never
// terms of one type, which `sum` would take for numbers of one format.
template <class A, class B, int M>
HWGEN_INLINE unpacked<common_term<product_modes<A, B, 1>>> multiply_selected(ap_uint<A::width> a, ap_uint<B::width> b,
                                                                             ap_uint<M> mode) {
  using modes = product_modes<A, B, 1>;
  return on_common_scale<modes, common_term<modes>>(
      multiply(unpack_selected<A, 1>(a, mode), unpack_selected<B, 1>(b, mode)), mode);
}

// --- results: a sum good enough for every mode's format is rounded into the one selected ---

// What a sum has to keep so that it can be rounded into any of the formats Y, the addend being one of C. It is as if
// the result were as precise as the most precise of them, and reached as far below its addend's last place as any.
template <class Y, class C, int K, bool LAST>
struct result_bounds {
  using here = format_at<Y, K>;
  using later = result_bounds<Y, C, K + 1, (K + 2 >= larger(Y::count, C::count))>;
  static constexpr int above_addend = smaller(here::lsb - addend_modes<C>::template at<K>::lsb, later::above_addend);
  static constexpr bool subnormals = here::subnormals && later::subnormals;
};
template <class Y, class C, int K>
struct result_bounds<Y, C, K, true> {
  using here = format_at<Y, K>;
  static constexpr int above_addend = here::lsb - addend_modes<C>::template at<K>::lsb;
  static constexpr bool subnormals = here::subnormals;
};
template <class Y, class C>
struct common_result {
  using bounds = result_bounds<Y, C, 0, (Y::count == 1 && C::count == 1)>;
  static constexpr int precision = Y::precision;
  static constexpr bool subnormals = bounds::subnormals;
  // Formats that flush have no last place below which a product is tiny beside a zero: one out of reach (there are at
  // most 64 random bits) keeps every product.
  static constexpr int lsb =
      common_term<addend_modes<C>>::lsb + bounds::above_addend - (subnormals ? 0 : precision + 64);
  static constexpr bool fixed_grid = false;
};
// One format needs no bounds but its own.
template <class Y, class C>
struct common_result<one_of<Y>, one_of<C>> : Y {};

template <class LIST, class RULE, int K, bool LAST>
struct result_selector {
  template <class T, int M>
  static HWGEN_INLINE ap_uint<LIST::width> run(unpacked<T> x, ap_uint<M> mode, typename RULE::random_t random) {
    const ap_uint<LIST::width> here = round_to<format_at<LIST, K>, RULE>(x, random);
    const ap_uint<LIST::width> later = result_selector<LIST, RULE, K + 1, (K + 2 >= LIST::count)>::run(x, mode, random);
    return mode == K ? here : later;
  }
};
template <class LIST, class RULE, int K>
struct result_selector<LIST, RULE, K, true> {
  template <class T, int M>
  static HWGEN_INLINE ap_uint<LIST::width> run(unpacked<T> x, ap_uint<M>, typename RULE::random_t random) {
    return round_to<format_at<LIST, K>, RULE>(x, random);
  }
};

// Round into the format that `mode` selects.
template <class LIST, class RULE, class T, int M>
HWGEN_INLINE ap_uint<LIST::width> round_to_selected(unpacked<T> x, ap_uint<M> mode, typename RULE::random_t random) {
  return result_selector<LIST, RULE, 0, (LIST::count == 1)>::run(x, mode, random);
}

// --- operators ---

// The exact product plus the addend, to be rounded into any of the formats Y under RULE.
template <class A, class B, class C, class Y, class RULE, bool ANCHORED>
struct selected_sum {
  template <int M>
  static HWGEN_INLINE auto of(ap_uint<A::width> a, ap_uint<B::width> b, ap_uint<C::width> c, ap_uint<M> mode) {
    return sum<common_result<Y, C>, RULE>(multiply_selected<A, B>(a, b, mode), addend_selected<C, 1>(c, mode));
  }
};
template <class A, class B, class C, class Y, class RULE>
struct selected_sum<A, B, C, Y, RULE, true> : anchored_selected_sum<A, B, C, Y, RULE> {};

// y = round(a * b + c), one rounding, each of a, b, c, y in the format that `mode` selects from its list.
template <class A, class B, class C, class Y, class RULE, int M>
HWGEN_INLINE ap_uint<Y::width> fma_selected(ap_uint<A::width> a, ap_uint<B::width> b, ap_uint<C::width> c,
                                            ap_uint<M> mode,
                                            typename RULE::random_t random = typename RULE::random_t()) {
  constexpr bool anchored = anchors_product(A::precision + B::precision, C::precision);
  return round_to_selected<Y, RULE>(selected_sum<A, B, C, Y, RULE, anchored>::of(a, b, c, mode), mode, random);
}

// acc' = round(a * b + acc), one rounding.
template <class A, class B, class ACC, class RULE, int M>
HWGEN_INLINE ap_uint<ACC::width> mac_selected(ap_uint<A::width> a, ap_uint<B::width> b, ap_uint<ACC::width> acc,
                                              ap_uint<M> mode,
                                              typename RULE::random_t random = typename RULE::random_t()) {
  return fma_selected<A, B, ACC, ACC, RULE>(a, b, acc, mode, random);
}

}  // namespace hwgen
