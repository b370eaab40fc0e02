// Formats that are chosen at run time: lists of formats, operands of the one selected, and the scale of their
// exponents.
//
// An operand word holds a number of one of several formats, in its low bits; `mode` says which. Each format unpacks
// into one common term. The significands of the common term are aligned at their leading ones, so that the narrow
// formats need no normalisation of their own.
#pragma once

#include "hwgen/unpack.hpp"

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

// --- operands: the significand at the top of the widest, the offset as the format has it, from FIRST ---

// Format F with offsets from FIRST, 0 or 1. From 1, a float's offset is its exponent field, or 1, and needs no
// subtraction.
template <int FIRST, class F>
using operand_from =
    term<F::precision, F::offset_max + FIRST, F::lsb - FIRST, term_of<F>::lead, term_of<F>::lead_off, FIRST>;

template <class LIST, int FIRST>
using selected_term = term<LIST::precision, LIST::offset_max + FIRST, 0, 0, 0, FIRST>;

template <class F, int FIRST, class FAMILY>
struct offset_from {
  static HWGEN_INLINE typename term_of<F>::offset_t of(ap_uint<F::width> x) { return unpack<F>(x).value.offset; }
};
template <class F>
struct offset_from<F, 1, float_tag> {
  static HWGEN_INLINE typename operand_from<1, F>::offset_t of(ap_uint<F::width> x) {
    return unpack_operand<F>(x).value.offset;
  }
};
template <class F>
struct offset_from<F, 1, fixed_tag> {
  static HWGEN_INLINE ap_uint<1> of(ap_uint<F::width>) { return 1; }
};

template <class LIST, class F, int FIRST>
HWGEN_INLINE unpacked<selected_term<LIST, FIRST>> unpack_as(ap_uint<LIST::width> word) {
  const ap_uint<F::width> low_bits = word;
  const unpacked<term_of<F>> narrow = unpack<F>(low_bits);
  unpacked<selected_term<LIST, FIRST>> u;
  u.value.negative = narrow.value.negative;
  u.value.offset = offset_from<F, FIRST, typename F::family>::of(low_bits);
  u.value.significand = ap_uint<LIST::precision>(narrow.value.significand) << (LIST::precision - F::precision);
  u.is_nan = narrow.is_nan;
  u.is_inf = narrow.is_inf;
  return u;
}

template <class LIST, int FIRST, int K, bool LAST>
struct operand_selector {
  using selected = unpacked<selected_term<LIST, FIRST>>;
  template <int M>
  static HWGEN_INLINE selected run(ap_uint<LIST::width> word, ap_uint<M> mode) {
    const selected here = unpack_as<LIST, format_at<LIST, K>, FIRST>(word);
    const selected later = operand_selector<LIST, FIRST, K + 1, (K + 2 >= LIST::count)>::run(word, mode);
    return mode == K ? here : later;
  }
};
template <class LIST, int FIRST, int K>
struct operand_selector<LIST, FIRST, K, true> {
  template <int M>
  static HWGEN_INLINE unpacked<selected_term<LIST, FIRST>> run(ap_uint<LIST::width> word, ap_uint<M>) {
    return unpack_as<LIST, format_at<LIST, K>, FIRST>(word);
  }
};

// Split a word of the format that `mode` selects.
template <class LIST, int FIRST = 0, int M>
HWGEN_INLINE unpacked<selected_term<LIST, FIRST>> unpack_selected(ap_uint<LIST::width> word, ap_uint<M> mode) {
  return operand_selector<LIST, FIRST, 0, (LIST::count == 1)>::run(word, mode);
}

// --- exponents: each mode's smallest exponent is moved to where it lies above the smallest of all ---

// MODES has a term for each mode: bounds over all of them, and how far the scale of one lies above the lowest.
template <class MODES, int K, bool LAST>
struct mode_bounds {
  using here = typename MODES::template at<K>;
  using later = mode_bounds<MODES, K + 1, (K + 2 >= MODES::count)>;
  static constexpr int precision = here::precision;
  static constexpr int lsb = smaller(here::lsb, later::lsb);
  static constexpr int bottom = smaller(here::lsb + here::offset_min, later::bottom);
  static constexpr int highest_bottom = larger(here::lsb + here::offset_min, later::highest_bottom);
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
  static constexpr int bottom = here::lsb + here::offset_min;
  static constexpr int highest_bottom = bottom;
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

}  // namespace hwgen
