// What every running sum is made of: one term added to a sum, and the control word that says where sums begin and end.
//
// A step is split at its joint: `add` is exact, `round` rounds once. Whatever the operand was (a value, a square), it
// comes as a term; see unpack.hpp and, for fixed point throughout, fixed.hpp.
#pragma once

#include "hwgen/add.hpp"
#include "hwgen/mul.hpp"

namespace hwgen {

// The control word beside each term. clear: the sum starts anew with this term, what was accumulated is dropped.
// last: the sum is released after this term, and the next term starts a new one.
using sum_control = ap_uint<2>;
HWGEN_INLINE ap_uint<1> clears(sum_control control) { return control[0]; }
HWGEN_INLINE ap_uint<1> ends(sum_control control) { return control[1]; }

// An operand x as term: x itself, and x * x without rounding. INTEGER: in two's complement.
template <class X, bool INTEGER>
struct sum_operand {
  using value_t = unpacked<term_of<X>>;
  using square_t = unpacked<typename product_of<term_of<X>, term_of<X>>::type>;
  static HWGEN_INLINE value_t value(ap_uint<X::width> x) { return unpack<X>(x); }
  static HWGEN_INLINE square_t square(ap_uint<X::width> x) { return multiply(unpack<X>(x), unpack<X>(x)); }
};
template <class X>
struct sum_operand<X, true> {
  using value_t = integer_for<X>;
  using square_t = integer<2 * value_t::width, 2 * value_t::lsb>;
  static HWGEN_INLINE value_t value(ap_uint<X::width> x) { return integer_of<X>(x); }
  static HWGEN_INLINE square_t square(ap_uint<X::width> x) { return integer_product(value(x), value(x)); }
};

// Term plus sum of format Y, then rounded into Y under RULE. If the term is the first, the old sum does not count, and
// the term alone is rounded: it meets a zero of its own sign, which leaves even a negative zero as it is.
template <class TERM, class Y, class RULE>
struct sum_step;

template <class T, class Y, class RULE>
struct sum_step<unpacked<T>, Y, RULE> {
  static HWGEN_INLINE ap_uint<Y::width> run(unpacked<T> x, ap_uint<Y::width> sum_so_far, ap_uint<1> first,
                                            typename RULE::random_t random) {
    unpacked<term_of<Y>> old = unpack<Y>(sum_so_far);
    if (first) {
      old.value.negative = x.value.negative;
      old.value.offset = 0;
      old.value.significand = 0;
      old.is_nan = 0;
      old.is_inf = 0;
    }
    return round_to<Y, RULE>(sum<Y, RULE>(x, old), random);
  }
};

template <int W, int LSB, class Y, class RULE>
struct sum_step<integer<W, LSB>, Y, RULE> {
  static HWGEN_INLINE ap_uint<Y::width> run(integer<W, LSB> x, ap_uint<Y::width> sum_so_far, ap_uint<1> first,
                                            typename RULE::random_t random) {
    const ap_uint<Y::width> old = first ? ap_uint<Y::width>(0) : sum_so_far;
    return round_integer<Y, RULE>(integer_sum(x, integer_of<Y>(old)), random);
  }
};

// The same under a name that is deduced: y = round(x + sum).
template <class Y, class RULE, class TERM>
HWGEN_INLINE ap_uint<Y::width> step_sum(TERM x, ap_uint<Y::width> sum_so_far, ap_uint<1> first,
                                        typename RULE::random_t random) {
  return sum_step<TERM, Y, RULE>::run(x, sum_so_far, first, random);
}

}  // namespace hwgen
