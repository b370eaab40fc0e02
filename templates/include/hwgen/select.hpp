// Formats that are chosen at run time: one multiplier, one alignment and one adder for several formats.
//
// An operand word holds a number of one of several formats, in its low bits; `mode` says which. Each format unpacks
// into one common term, and what follows is a single datapath. The significands of the common term are aligned at
// their leading ones, so that the narrow formats need no normalisation of their own.
#pragma once

#include "hwgen/fma.hpp"

namespace hwgen {

// The formats of one port, for mode 0, 1, 2, ... A list of one format holds for every mode, and a mode beyond the list
// takes its last.
template <class... F>
struct one_of;
template <class F>
struct one_of<F> {
  static constexpr int count = 1;
  static constexpr int width = F::width;
  static constexpr int precision = F::precision;
  static constexpr int offset_max = F::offset_max;
};
template <class F, class... MORE>
struct one_of<F, MORE...> {
  using rest = one_of<MORE...>;
  static constexpr int count = 1 + rest::count;
  static constexpr int width = larger(F::width, rest::width);
  static constexpr int precision = larger(F::precision, rest::precision);
  static constexpr int offset_max = larger(F::offset_max, rest::offset_max);
};

template <int K, class LIST>
struct format_in;
template <int K, class F>
struct format_in<K, one_of<F>> {
  using type = F;
};
template <class F, class G, class... MORE>
struct format_in<0, one_of<F, G, MORE...>> {
  using type = F;
};
template <int K, class F, class G, class... MORE>
struct format_in<K, one_of<F, G, MORE...>> {
  using type = typename format_in<K - 1, one_of<G, MORE...>>::type;
};
// The format of mode K.
template <class LIST, int K>
using format_at = typename format_in<K, LIST>::type;

// --- operands: the significand at the top of the widest, the offset as the format has it ---

template <class LIST>
using selected_term = term<LIST::precision, LIST::offset_max, 0, 0>;

template <class LIST, class F>
HWGEN_INLINE unpacked<selected_term<LIST>> unpack_as(ap_uint<LIST::width> word) {
  const unpacked<term_of<F>> narrow = unpack<F>(ap_uint<F::width>(word));
  unpacked<selected_term<LIST>> u;
  u.value.negative = narrow.value.negative;
  u.value.offset = narrow.value.offset;
  u.value.significand = ap_uint<LIST::precision>(narrow.value.significand) << (LIST::precision - F::precision);
  u.is_nan = narrow.is_nan;
  u.is_inf = narrow.is_inf;
  return u;
}

template <class LIST, int K, bool LAST>
struct operand_selector {
  template <int M>
  static HWGEN_INLINE unpacked<selected_term<LIST>> run(ap_uint<LIST::width> word, ap_uint<M> mode) {
    const unpacked<selected_term<LIST>> here = unpack_as<LIST, format_at<LIST, K>>(word);
    const unpacked<selected_term<LIST>> later = operand_selector<LIST, K + 1, (K + 2 >= LIST::count)>::run(word, mode);
    return mode == K ? here : later;
  }
};
template <class LIST, int K>
struct operand_selector<LIST, K, true> {
  template <int M>
  static HWGEN_INLINE unpacked<selected_term<LIST>> run(ap_uint<LIST::width> word, ap_uint<M>) {
    return unpack_as<LIST, format_at<LIST, K>>(word);
  }
};

// Split a word of the format that `mode` selects.
template <class LIST, int M>
HWGEN_INLINE unpacked<selected_term<LIST>> unpack_selected(ap_uint<LIST::width> word, ap_uint<M> mode) {
  return operand_selector<LIST, 0, (LIST::count == 1)>::run(word, mode);
}

// --- exponents: each mode's smallest exponent is moved to where it lies above the smallest of all ---

// Term T with its significand UP places further up.
template <class T, int UP>
using raised = term<T::precision + UP, T::offset_max, T::lsb - UP, T::lead + UP, T::lead_off + UP>;

// The term of mode K alone: of an addend, and of a product.
template <class C>
struct addend_modes {
  static constexpr int count = C::count;
  template <int K>
  using at = raised<term_of<format_at<C, K>>, C::precision - format_at<C, K>::precision>;
};
template <class A, class B>
struct product_modes {
  static constexpr int count = larger(A::count, B::count);
  template <int K>
  using at = raised<typename product_of<term_of<format_at<A, K>>, term_of<format_at<B, K>>>::type,
                    A::precision - format_at<A, K>::precision + B::precision - format_at<B, K>::precision>;
};

template <class MODES, int K, bool LAST>
struct mode_bounds {
  using here = typename MODES::template at<K>;
  using later = mode_bounds<MODES, K + 1, (K + 2 >= MODES::count)>;
  static constexpr int precision = here::precision;
  static constexpr int lsb = smaller(here::lsb, later::lsb);
  static constexpr int top = larger(here::lsb + here::offset_max, later::top);
  static constexpr int lead = smaller(here::lead, later::lead);
  // A mode whose smallest exponent lies above the common one has an offset even where it is subnormal.
  static constexpr int lead_off(int common) {
    return smaller(here::lsb > common ? here::lead : here::lead_off, later::lead_off(common));
  }
  template <int W, int M>
  static HWGEN_INLINE ap_uint<W> distance(ap_uint<M> mode, int common) {
    const ap_uint<W> of_later = later::template distance<W>(mode, common);
    return mode == K ? ap_uint<W>(here::lsb - common) : of_later;
  }
};
template <class MODES, int K>
struct mode_bounds<MODES, K, true> {
  using here = typename MODES::template at<K>;
  static constexpr int precision = here::precision;
  static constexpr int lsb = here::lsb;
  static constexpr int top = here::lsb + here::offset_max;
  static constexpr int lead = here::lead;
  static constexpr int lead_off(int common) { return here::lsb > common ? here::lead : here::lead_off; }
  template <int W, int M>
  static HWGEN_INLINE ap_uint<W> distance(ap_uint<M>, int common) {
    return here::lsb - common;
  }
};

template <class MODES>
using bounds_of = mode_bounds<MODES, 0, (MODES::count == 1)>;

// The one term type that holds the numbers of every mode.
template <class MODES, class B = bounds_of<MODES>>
using common_term = term<B::precision, B::top - B::lsb, B::lsb, B::lead, B::lead_off(B::lsb)>;

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
template <class C, int M>
HWGEN_INLINE unpacked<common_term<addend_modes<C>>> addend_selected(ap_uint<C::width> c, ap_uint<M> mode) {
  return on_common_scale<addend_modes<C>, common_term<addend_modes<C>>>(unpack_selected<C>(c, mode), mode);
}

// Two terms of one type are taken for numbers of one format, whose subnormals share the smallest exponent; in common
// terms they do not. Should a product have the type of its addend, one unused exponent makes it another.
template <class X, class C>
struct apart {
  using type = X;
};
template <class T>
struct apart<T, T> {
  using type = term<T::precision, T::offset_max + 1, T::lsb, T::lead, T::lead_off>;
};
template <class A, class B, class C>
using product_term = typename apart<common_term<product_modes<A, B>>, common_term<addend_modes<C>>>::type;

// The exact product a * b in the formats that `mode` selects, to be added to one of the formats C.
template <class A, class B, class C, int M>
HWGEN_INLINE unpacked<product_term<A, B, C>> multiply_selected(ap_uint<A::width> a, ap_uint<B::width> b,
                                                               ap_uint<M> mode) {
  return on_common_scale<product_modes<A, B>, product_term<A, B, C>>(
      multiply(unpack_selected<A>(a, mode), unpack_selected<B>(b, mode)), mode);
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

// y = round(a * b + c), one rounding, each of a, b, c, y in the format that `mode` selects from its list.
template <class A, class B, class C, class Y, class RULE, int M>
HWGEN_INLINE ap_uint<Y::width> fma_selected(ap_uint<A::width> a, ap_uint<B::width> b, ap_uint<C::width> c,
                                            ap_uint<M> mode,
                                            typename RULE::random_t random = typename RULE::random_t()) {
  const unpacked<product_term<A, B, C>> product = multiply_selected<A, B, C>(a, b, mode);
  return round_to_selected<Y, RULE>(sum<common_result<Y, C>, RULE>(product, addend_selected<C>(c, mode)), mode, random);
}

// acc' = round(a * b + acc), one rounding.
template <class A, class B, class ACC, class RULE, int M>
HWGEN_INLINE ap_uint<ACC::width> mac_selected(ap_uint<A::width> a, ap_uint<B::width> b, ap_uint<ACC::width> acc,
                                              ap_uint<M> mode,
                                              typename RULE::random_t random = typename RULE::random_t()) {
  return fma_selected<A, B, ACC, ACC, RULE>(a, b, acc, mode, random);
}

}  // namespace hwgen
