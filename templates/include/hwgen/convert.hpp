// Conversion between any two formats, one rounding.
#pragma once

#include "hwgen/fixed.hpp"
#include "hwgen/round.hpp"

namespace hwgen {

template <class X, class Y, class RULE, bool INTEGER>
struct converter {
  static HWGEN_INLINE ap_uint<Y::width> run(ap_uint<X::width> x, typename RULE::random_t random) {
    return round_to<Y, RULE>(unpack<X>(x), random);
  }
};
template <class X, class Y, class RULE>
struct converter<X, Y, RULE, true> {
  static HWGEN_INLINE ap_uint<Y::width> run(ap_uint<X::width> x, typename RULE::random_t random) {
    return round_integer<Y, RULE>(integer_of<X>(x), random);
  }
};

// y = round(x).
template <class X, class Y, class RULE>
HWGEN_INLINE ap_uint<Y::width> convert(ap_uint<X::width> x,
                                       typename RULE::random_t random = typename RULE::random_t()) {
  return converter<X, Y, RULE, all_fixed<X, X, Y>::value>::run(x, random);
}

}  // namespace hwgen
