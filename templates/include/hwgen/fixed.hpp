// Fixed-point arithmetic in two's complement, for operators all of whose formats are fixed: no sign-magnitude detour.
#pragma once

#include "hwgen/rounding.hpp"

namespace hwgen {

template <class A, class B, class C>
struct all_fixed {
  static constexpr bool value = A::fixed_grid && B::fixed_grid && C::fixed_grid;
};

// The exact number value * 2^LSB.
template <int W, int LSB>
struct integer {
  static constexpr int width = W;
  static constexpr int lsb = LSB;
  ap_int<W> value;
};

// One bit more than an unsigned format has, so that everything is signed from here on.
template <class F>
using integer_for = integer<F::width + (F::is_signed ? 0 : 1), F::lsb>;

template <class F>
HWGEN_INLINE integer_for<F> integer_of(ap_uint<F::width> x) {
  integer_for<F> i;
  i.value = x;
  return i;
}

template <class A, class B>
HWGEN_INLINE integer<A::width + B::width, A::lsb + B::lsb> integer_product(A a, B b) {
  integer<A::width + B::width, A::lsb + B::lsb> p;
  p.value = a.value * b.value;
  return p;
}

// The sum keeps the finer of the two last places.
template <class A, class B>
struct integer_sum_of {
  static constexpr int lsb = smaller(A::lsb, B::lsb);
  static constexpr int width = larger(A::width + A::lsb - lsb, B::width + B::lsb - lsb) + 1;
  using type = integer<width, lsb>;
};

template <class A, class B>
HWGEN_INLINE typename integer_sum_of<A, B>::type integer_sum(A a, B b) {
  using sum_of = integer_sum_of<A, B>;
  using sum_t = ap_int<sum_of::width>;
  typename sum_of::type s;
  s.value = (sum_t(a.value) << (A::lsb - sum_of::lsb)) + (sum_t(b.value) << (B::lsb - sum_of::lsb));
  return s;
}

// Rounding is defined on magnitudes; `floor_value` has been truncated toward -Inf with `extra` bits and sticky below
// it. For a negative number these are the complement of the magnitude's, which the deterministic modes see through:
template <class RULE>
HWGEN_INLINE ap_uint<1> increments(ap_uint<1> negative, ap_uint<1> odd, ap_uint<1> guard, ap_uint<1> sticky,
                                   no_random) {
  const ap_uint<1> inexact = guard | sticky;
  switch (RULE::kind) {
    case mode::rne:
      return guard & (sticky | odd);
    case mode::rna:
      return guard & (sticky | ~negative);
    case mode::rtz:
      return inexact & negative;
    case mode::rup:
      return inexact;
    case mode::rto:
      return inexact & ~odd;
    default:
      return 0;
  }
}
// and stochastic rounding needs the carry of k + u for |x|: with Z = floor(x * 2^r), |x| in units of 2^-r is Z, or
// -(Z + sticky) truncated, and -floor((|x| + u) / 2^r) = floor((Z + sticky + ~u) / 2^r).
template <class RULE, int R>
HWGEN_INLINE ap_uint<1> increments(ap_uint<1> negative, ap_uint<1>, ap_uint<R> z, ap_uint<1> sticky, ap_uint<R> u) {
  const ap_uint<R> addend = negative ? ap_uint<R>(~u) : u;
  const ap_uint<R + 1> sum = ap_uint<R + 1>(z) + ap_uint<R + 1>(addend) + ap_uint<R + 1>(negative & sticky);
  return sum[R];
}

// Round an exact integer once into fixed-point format Y.
template <class Y, class RULE, class I>
HWGEN_INLINE ap_uint<Y::width> round_integer(I x, typename RULE::random_t random) {
  constexpr int drop = larger(Y::lsb - I::lsb, 0);      // bits below the result's last place
  constexpr int pad = larger(I::lsb - Y::lsb, 0);       // or zeros to append
  constexpr int below = larger(drop - RULE::extra, 0);  // of the dropped bits, those that only count as sticky
  constexpr int lift = larger(RULE::extra - drop, 0);   // zeros to append so that `extra` bits can be taken
  constexpr int wide = I::width + pad + lift;
  constexpr int whole = larger(wide - below - RULE::extra, Y::width) + 2;  // sign, and a carry
  const ap_int<wide> aligned = ap_int<wide>(x.value) << (pad + lift);
  const ap_uint<1> negative = x.value < 0;
  const ap_int<whole> floor_value = aligned >> (below + RULE::extra);
  const ap_uint<RULE::extra> extra = aligned >> below;
  const ap_uint<1> sticky = (ap_uint<wide>(aligned) & ((ap_uint<wide>(1) << below) - 1)) != 0;
  const ap_int<whole> rounded =
      floor_value + ap_int<whole>(increments<RULE>(negative, floor_value[0], extra, sticky, random));

  const ap_uint<Y::width> largest = ap_uint<Y::width>(~ap_uint<Y::width>(0)) >> (Y::is_signed ? 1 : 0);
  const ap_uint<Y::width> lowest = Y::is_signed ? ap_uint<Y::width>(~largest) : ap_uint<Y::width>(0);
  const ap_int<whole> upper = largest;
  const ap_int<whole> lower = Y::is_signed ? ap_int<whole>(~upper) : ap_int<whole>(0);
  if (RULE::on_overflow == overflow::saturate && rounded > upper) return largest;
  if (RULE::on_overflow == overflow::saturate && rounded < lower) return lowest;
  return rounded;
}

}  // namespace hwgen
