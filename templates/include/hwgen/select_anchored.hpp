// The sum of a product and an addend in formats that are chosen at run time, on the scale of the larger term: see
// anchored.hpp, whose sum this is. The leading ones of subnormals are brought to the top behind the selection, so that
// all formats share one count of zeros and one shifter.
#pragma once

#include "hwgen/anchored.hpp"
#include "hwgen/select_terms.hpp"

namespace hwgen {

// Whether leading ones may lie below the top of their significands, in any of the formats.
template <class LIST, int K = 0, bool LAST = (K + 1 >= LIST::count)>
struct has_short {
  static constexpr bool value = has_short<LIST, K, true>::value || has_short<LIST, K + 1>::value;
};
template <class LIST, int K>
struct has_short<LIST, K, true> {
  using operand = operand_from<1, format_at<LIST, K>>;
  static constexpr bool value = operand::lead < operand::precision - 1;
};

// The scale of mode K: a term of one bit, the top place, whose offset is the exponent of a topped term. Normalised, a
// zero of a short format has as many zeros as one of the longest.
template <class LIST, int K, bool NORMALISE>
struct scale_at {
  using operand = operand_from<1, format_at<LIST, K>>;
  static constexpr int low = NORMALISE ? 2 - LIST::precision : 1;
  using type = term<1, operand::offset_max, operand::lsb + operand::precision - 1, 0, 0, low>;
};
template <class LIST, bool NORMALISE>
struct operand_scales {
  static constexpr int count = LIST::count;
  template <int K>
  using at = typename scale_at<LIST, K, NORMALISE>::type;
};
template <class X, class Y>
struct scale_of_factors {
  using type = term<1, X::offset_max + Y::offset_max, X::lsb + Y::lsb + 1, 0, 0, X::offset_min + Y::offset_min>;
};
template <class A, class B>
struct product_scales {
  static constexpr int count = larger(A::count, B::count);
  template <int K>
  using at = typename scale_of_factors<typename scale_at<A, K, has_short<A>::value>::type,
                                       typename scale_at<B, K, has_short<B>::value>::type>::type;
};

// The one topped term that holds the numbers of every mode.
template <class SCALES, int P, int SLACK, class B = bounds_of<SCALES>>
using common_topped = topped<P, B::bottom - B::lsb, B::top - B::lsb, B::lsb, SLACK, B::highest_bottom - B::lsb>;

template <class SCALES, class COMMON, class T, int M>
HWGEN_INLINE unpacked<COMMON> topped_on_common_scale(unpacked<T> x, ap_uint<M> mode) {
  using exponent_t = typename COMMON::exponent_t;
  constexpr int bits = bits_for(COMMON::high - COMMON::low);
  const ap_uint<bits> distance = bounds_of<SCALES>::template distance<bits>(mode, COMMON::base);
  unpacked<COMMON> u;
  u.value.negative = x.value.negative;
  u.value.zero = x.value.zero;
  u.value.exponent = exponent_t(x.value.exponent) + exponent_t(distance);
  u.value.significand = x.value.significand;
  u.is_nan = x.is_nan;
  u.is_inf = x.is_inf;
  return u;
}

// A word of the format that `mode` selects as a topped term, still on the scale of its own format.
template <class LIST, bool NORMALISE>
struct topped_selected {
  static constexpr int p = LIST::precision;
  using type = topped<p, NORMALISE ? 2 - p : 1, LIST::offset_max + 1, 0, 0>;
  using exponent_t = typename type::exponent_t;

  template <int M>
  static HWGEN_INLINE unpacked<type> of(ap_uint<LIST::width> word, ap_uint<M> mode) {
    const unpacked<selected_term<LIST, 1>> u = unpack_selected<LIST, 1>(word, mode);
    const ap_uint<p> significand = u.value.significand;
    ap_uint<bits_for(p)> zeros = 0;
    if (NORMALISE) zeros = leading_zeros<p>(significand | ap_uint<p>(1));
    const ap_uint<1> short_of_top = NORMALISE && !significand[p - 1];
    unpacked<type> v;
    v.is_nan = u.is_nan;
    v.is_inf = u.is_inf;
    v.value.negative = u.value.negative;
    v.value.zero = significand == 0;
    v.value.exponent = short_of_top ? exponent_t(1 - exponent_t(zeros)) : exponent_t(u.value.offset);
    v.value.significand = significand << zeros;
    return v;
  }
};

// What the sum has to know of the result formats: the longest significand, and the lowest of the smallest normal
// numbers, seen with that significand.
template <class Y, int K = 0, bool LAST = (K + 1 >= Y::count)>
struct lowest_normal {
  static constexpr int weight = smaller(lowest_normal<Y, K, true>::weight, lowest_normal<Y, K + 1>::weight);
};
template <class Y, int K>
struct lowest_normal<Y, K, true> {
  static constexpr int weight = format_at<Y, K>::lsb + format_at<Y, K>::precision - 1;
};
template <class Y>
struct anchored_result {
  static constexpr int precision = Y::precision;
  static constexpr int lsb = lowest_normal<Y>::weight - precision + 1;
};

// a * b + c, to be rounded into any of the formats Y under RULE.
template <class A, class B, class C, class Y, class RULE>
struct anchored_selected_sum {
  using result = anchored_result<Y>;
  // Subnormals may stay as they are if they are of one format and the result has no smaller normal numbers.
  static constexpr bool normalise_c =
      has_short<C>::value && (C::count > 1 || lowest_normal<C>::weight > lowest_normal<Y>::weight);
  using a_t = topped_selected<A, has_short<A>::value>;
  using b_t = topped_selected<B, has_short<B>::value>;
  using c_t = topped_selected<C, normalise_c>;
  using x_scales = product_scales<A, B>;
  using c_scales = operand_scales<C, normalise_c>;
  using x_term = common_topped<x_scales, A::precision + B::precision, 1>;
  using c_term = common_topped<c_scales, C::precision, 0>;
  using widths = anchored_widths<result, RULE, x_term, c_term>;

  template <int M>
  static HWGEN_INLINE unpacked<typename widths::sum_t> of(ap_uint<A::width> a, ap_uint<B::width> b, ap_uint<C::width> c,
                                                          ap_uint<M> mode) {
    const unpacked<x_term> x =
        topped_on_common_scale<x_scales, x_term>(multiply_topped(a_t::of(a, mode), b_t::of(b, mode)), mode);
    const unpacked<c_term> y = topped_on_common_scale<c_scales, c_term>(c_t::of(c, mode), mode);
    return sum_with_specials(sum_anchored<result, RULE>(x.value, y.value), x, y);
  }
};

}  // namespace hwgen
