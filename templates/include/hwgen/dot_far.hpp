// Adding to a sum of products an addend that its window does not hold: far above it, or far below.
//
// The two are terms like those of a fused multiply-add, and sum.hpp says how far apart both still matter: beyond that
// the smaller one is jammed, or the larger one placed as if it were just far enough.
#pragma once

#include "hwgen/dot_window.hpp"
#include "hwgen/shift.hpp"
#include "hwgen/sum.hpp"

namespace hwgen {

template <class Y, class RULE, class SUM, class SCALE, class C>
struct far_addition {
  using products_t = typename scaled_sum<SUM, SCALE>::magnitude_t;
  using w = sum_widths<Y, RULE, products_t, C>;
  // One bit more for the sign: unlike two terms, products and addend are added in two's complement.
  using sum_t = signed_term<w::width + 1, w::anchor_max - w::anchor_min, w::anchor_min - w::low - 1>;
  using d_t = ap_int<w::d_bits>;
  using wide_t = ap_uint<w::width + 1>;

  static HWGEN_INLINE sum_t run(SUM products, ap_uint<1> base, SCALE scale, C c) {
    // --- align the addend, as in sum.hpp; without products it stays where it loses nothing ---
    const d_t d = d_t(c.offset) - d_t(scale.offset) + d_t(C::lsb - products_t::lsb);
    const ap_uint<1> far_above = d > w::high;
    const ap_uint<1> counts = w::zero_c_may_dominate ? ap_uint<1>(1) : ap_uint<1>(c.significand != 0);
    const ap_uint<1> dominates = far_above & counts;
    const d_t wanted = d_t(w::high) - d;
    const d_t bounded = wanted > w::max_shift ? d_t(w::max_shift) : wanted;
    const ap_uint<bits_for(w::max_shift)> amount = dominates ? d_t(0) : bounded;
    const wide_t aligned = shift_right_jam<w::c_width, w::max_shift>(c.significand, amount);

    // --- add ---
    const ap_uint<1> no_products = products.value == 0;
    const ap_uint<1> subtract = c.negative ^ base;
    const wide_t added = subtract ? wide_t(~aligned) : aligned;
    const wide_t placed = wide_t(ap_int<w::width + 1>(products.value)) << (w::low + 1);  // so its last bit is free
    const wide_t total = (placed | wide_t(subtract)) + added;
    const wide_t alone = wide_t(c.significand) << (w::high + w::low + 1);

    sum_t sum;
    sum.base = no_products ? c.negative : base;
    sum.offset = (dominates | no_products) ? offset_t(c.offset + (C::lsb - w::high - w::anchor_min))
                                           : offset_t(scale.offset + (products_t::lsb - w::anchor_min));
    sum.value = no_products ? alone : total;
    return sum;
  }

  using offset_t = typename sum_t::magnitude_t::offset_t;
};

}  // namespace hwgen
