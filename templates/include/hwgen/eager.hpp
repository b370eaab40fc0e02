// Eager stochastic rounding of sums: the random word is added before it is known where the sum's last place is.
#pragma once

#include "hwgen/anchored.hpp"
#include "hwgen/fma.hpp"

namespace hwgen {

template <overflow OVERFLOW, int RANDOM_BITS>
using eager_sr = rounding<mode::sr, OVERFLOW, RANDOM_BITS, random_word::eager>;

// Whether the magnitude goes up, for each of the first N shifts that may normalise it; never for the others.
template <int N>
struct carries {
  ap_uint<N> up;
};
struct decided_word {
  ap_uint<1> up;
};

template <int A, int N>
HWGEN_INLINE decided_word drawn_for(ap_uint<A> amount, carries<N> random) {
  decided_word chosen;
  chosen.up = (ap_uint<larger(N, 1 << A)>(random.up) >> amount) & 1;
  return chosen;
}

template <class RULE, int R>
HWGEN_INLINE ap_uint<1> rounds_up(ap_uint<1>, ap_uint<1>, ap_uint<R>, ap_uint<1>, decided_word random) {
  return random.up;
}

// k + u for every place that the last place can have: a sum whose leading one needs more than MAX_LEFT shifts is exact.
template <class Y, class RULE, class T, int MAX_LEFT>
struct early_carries {
  static constexpr int r = RULE::extra;
  static constexpr int places = T::precision - 1;  // without the jam bit, which is below every k
  static constexpr int max_right = round_widths<Y, RULE, T>::max_right;
  static constexpr int shifts = max_right + MAX_LEFT + 1;
  static constexpr int padding = larger(0, Y::precision + MAX_LEFT + r - places);

  static HWGEN_INLINE carries<shifts> of(ap_uint<T::precision> significand, ap_uint<r> u) {
    const ap_uint<places + padding> padded = ap_uint<places + padding>(significand >> 1) << padding;
    carries<shifts> all;
    all.up = 0;
    for (int shift = 0; shift < shifts; ++shift) {
      const ap_uint<r> k = padded >> (places + padding - Y::precision - r - (shift - max_right));
      all.up |= ap_uint<shifts>(carry_tree<r>::generates(k, u)) << shift;
    }
    return all;
  }
};

// Round a sum of the widths W.
template <class Y, class RULE, class W>
HWGEN_INLINE ap_uint<Y::width> round_eagerly(unpacked<typename W::sum_t> sum, typename RULE::random_t random) {
  using sum_t = typename W::sum_t;
  const ap_uint<sum_t::precision> significand = sum.value.significand;
  return round_counted<Y, RULE, true>(sum, leading_zeros_of<sum_t>(significand),
                                      early_carries<Y, RULE, sum_t, W::max_inexact_left>::of(significand, random));
}

template <class A, class B, class Y, class RULE>
struct adder<A, B, Y, RULE, false, true> {
  static HWGEN_INLINE ap_uint<Y::width> run(ap_uint<A::width> a, ap_uint<B::width> b, typename RULE::random_t random) {
    using sum = anchored_sum<A, B, Y, RULE>;
    return round_eagerly<Y, RULE, typename sum::widths>(sum::of(a, b), random);
  }
};

template <class A, class B, class C, class Y, class RULE>
struct fused_multiplier_adder<A, B, C, Y, RULE, false, true> {
  static HWGEN_INLINE ap_uint<Y::width> run(ap_uint<A::width> a, ap_uint<B::width> b, ap_uint<C::width> c,
                                            typename RULE::random_t random) {
    using sum = anchored_product_sum<A, B, C, Y, RULE>;
    return round_eagerly<Y, RULE, typename sum::widths>(sum::of(a, b, c), random);
  }
};

}  // namespace hwgen
