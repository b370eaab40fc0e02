// The sum of n products and an addend as tensor cores make it: terms are aligned to the largest exponent, cut W bits
// below it, added as integers, and rounded once.
//
// The exponent of a term is the weight of its significand's first bit, the hidden one of a float; of a product, the sum
// of its factors'. Products are not normalised before they are aligned, and zeros have no exponent.
#pragma once

#include "hwgen/dot_round.hpp"
#include "hwgen/dot_window.hpp"

namespace hwgen {

// What becomes of the bits below the last place.
enum class shifted_out { truncate, jam };

// Exponents of products, scale included, lie in LOW .. LOW + SPAN.
template <class A, class B>
struct product_exponents {
  using product_t = typename product_of<term_of<typename A::element>, term_of<typename B::element>>::type;
  using scale_t = scale_of_product<A, B>;
  // A product's first bit lies one below its top: two factors in [1, 2) make one in [1, 4).
  static constexpr int low = product_t::lsb + product_t::precision - 2 + scale_t::lsb;
  static constexpr int high = low + product_t::offset_max + scale_t::offset_max;
};
template <class A, class B, class C>
struct term_exponents {
  using products = product_exponents<A, B>;
  static constexpr int addend = C::lsb + C::precision - 1;
  static constexpr int low = smaller(products::low, addend);
  static constexpr int high = larger(products::high, addend + C::offset_max);
};
template <class A, class B>
struct term_exponents<A, B, no_addend> : product_exponents<A, B> {
  using products = product_exponents<A, B>;
};

// An exponent counted from LOW; zeros have the lowest, which changes no maximum.
template <int LOW, int HIGH>
struct exponent_range {
  static constexpr int low = LOW;
  using type = ap_uint<bits_for(HIGH - LOW)>;
};

// A significand whose top bit lies at the top of W bits, moved right by `amount`; W or more leave nothing.
template <shifted_out RULE, int W, class AMOUNT, int P>
HWGEN_INLINE ap_uint<W> aligned_significand(ap_uint<P> significand, AMOUNT distance) {
  const ap_uint<bits_for(W)> amount =
      distance > AMOUNT(W) && ap_uint<32>(distance) > W ? ap_uint<bits_for(W)>(W) : ap_uint<bits_for(W)>(distance);
  const ap_uint<W + P> shifted = (ap_uint<W + P>(significand) << W) >> amount;  // long enough to lose nothing
  const ap_uint<1> lost = (shifted & ((ap_uint<W + P>(1) << P) - 1)) != 0;
  return ap_uint<W>(shifted >> P) | ap_uint<W>(RULE == shifted_out::jam ? lost : ap_uint<1>(0));
}

template <class A, class B, class EXPONENTS>
struct exponent_lanes {
  using value_t = typename EXPONENTS::type;
  ap_uint<A::width> a;
  ap_uint<B::width> b;
  typename scale_of_product<A, B>::offset_t scale;

  template <int I>
  HWGEN_INLINE value_t exponent() const {
    const auto x = unpack<typename A::element>(element_of<A, I>(a)).value;
    const auto y = unpack<typename B::element>(element_of<B, I>(b)).value;
    return value_t(x.offset) + value_t(y.offset) + value_t(scale) +
           value_t(product_exponents<A, B>::low - EXPONENTS::low);
  }
  template <int I>
  HWGEN_INLINE value_t lane() const {
    const auto x = unpack<typename A::element>(element_of<A, I>(a)).value;
    const auto y = unpack<typename B::element>(element_of<B, I>(b)).value;
    return x.significand != 0 && y.significand != 0 ? exponent<I>() : value_t(0);
  }
  template <int I>
  HWGEN_INLINE value_t join(value_t left, value_t right) const {
    return left > right ? left : right;
  }
};

// The aligned products, as a sum in a window whose last place is W bits below the largest exponent.
template <class A, class B, class EXPONENTS, class SUM, int W, shifted_out CUT>
struct aligned_lanes {
  using value_t = SUM;
  using exponent_t = typename EXPONENTS::type;
  ap_uint<A::width> a;
  ap_uint<B::width> b;
  exponent_lanes<A, B, EXPONENTS> exponents;
  exponent_t largest;
  ap_uint<1> base;

  template <int I>
  HWGEN_INLINE SUM lane() const {
    const auto product =
        multiply(unpack<typename A::element>(element_of<A, I>(a)), unpack<typename B::element>(element_of<B, I>(b)));
    const exponent_t distance = largest - exponents.template exponent<I>();
    return signed_window<SUM>(aligned_significand<CUT, W + 2>(product.value.significand, distance), flags_of(product),
                              product.value.negative, base);
  }
  template <int I>
  HWGEN_INLINE SUM join(SUM left, SUM right) const {
    return add_windows(left, right);
  }
};

template <class A, class B, class C, class Y, class RULE, int W, shifted_out CUT>
struct aligned_dot {
  using range = term_exponents<A, B, C>;
  using exponents = exponent_range<range::low, range::high>;
  using exponent_t = typename exponents::type;
  using sum_t = window_sum<W + 2 + log2_up(A::count + 1) + 1, 0>;
  using lanes = aligned_lanes<A, B, exponents, sum_t, W, CUT>;

  // `addend` is aligned once the largest exponent is known.
  template <class ADDEND>
  static HWGEN_INLINE ap_uint<Y::width> run(ap_uint<A::width> a, ap_uint<B::width> b, ADDEND addend,
                                            typename RULE::random_t random) {
    const auto scale = product_scale<A, B>(a, b);
    const exponent_lanes<A, B, exponents> terms = {a, b, scale.offset};
    const exponent_t of_products = joined_lanes<exponent_lanes<A, B, exponents>, 0, A::count>::run(terms);
    const exponent_t largest = addend.larger_of(of_products);
    const ap_uint<1> base = unpack<typename A::element>(element_of<A, 0>(a)).value.negative ^
                            unpack<typename B::element>(element_of<B, 0>(b)).value.negative;
    const lanes products = {a, b, terms, largest, base};
    const sum_t sum =
        addend.template add_to<sum_t, W, CUT>(joined_lanes<lanes, 0, A::count>::run(products), largest, base);
    const scale_term<range::low - W, range::high - range::low> place = {largest, scale.is_nan};
    return round_sum<Y, RULE>(scaled(sum, base, place), specials_of<RULE>(sum.flags, scale.is_nan), random);
  }
};

template <class C, class EXPONENTS>
struct aligned_addend {
  using exponent_t = typename EXPONENTS::type;
  unpacked<term_of<C>> term;

  HWGEN_INLINE exponent_t exponent() const {
    return exponent_t(term.value.offset) + exponent_t(C::lsb + C::precision - 1 - EXPONENTS::low);
  }
  HWGEN_INLINE exponent_t larger_of(exponent_t products) const {
    return term.value.significand != 0 && exponent() > products ? exponent() : products;
  }
  template <class SUM, int W, shifted_out CUT>
  HWGEN_INLINE SUM add_to(SUM products, exponent_t largest, ap_uint<1> base) const {
    const exponent_t distance = largest - exponent();
    return add_windows(products, signed_window<SUM>(aligned_significand<CUT, W + 1>(term.value.significand, distance),
                                                    flags_of(term), term.value.negative, base));
  }
};
template <class EXPONENTS>
struct aligned_addend<no_addend, EXPONENTS> {
  using exponent_t = typename EXPONENTS::type;
  HWGEN_INLINE exponent_t larger_of(exponent_t products) const { return products; }
  template <class SUM, int W, shifted_out CUT>
  HWGEN_INLINE SUM add_to(SUM products, exponent_t, ap_uint<1>) const {
    return products;
  }
};

// y = round(sum of the aligned products and addend), W bits below the largest exponent, cut as CUT says.
template <class A, class B, class C, class Y, class RULE, int W, shifted_out CUT>
HWGEN_INLINE ap_uint<Y::width> dot_aligned(ap_uint<A::width> a, ap_uint<B::width> b, ap_uint<C::width> c,
                                           typename RULE::random_t random = typename RULE::random_t()) {
  using unit = aligned_dot<A, B, C, Y, RULE, W, CUT>;
  return unit::run(a, b, aligned_addend<C, typename unit::exponents>{unpack<C>(c)}, random);
}
template <class A, class B, class Y, class RULE, int W, shifted_out CUT>
HWGEN_INLINE ap_uint<Y::width> dot_aligned(ap_uint<A::width> a, ap_uint<B::width> b,
                                           typename RULE::random_t random = typename RULE::random_t()) {
  using unit = aligned_dot<A, B, no_addend, Y, RULE, W, CUT>;
  return unit::run(a, b, aligned_addend<no_addend, typename unit::exponents>(), random);
}

}  // namespace hwgen
