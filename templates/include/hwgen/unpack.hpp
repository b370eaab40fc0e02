// From a bit pattern to a term: sign, offset, significand. Everything between unpack and round works on terms, whatever
// the formats at the ports, so mixed precision needs no operator of its own.
#pragma once

#include "hwgen/format.hpp"

namespace hwgen {

// The finite value (-1)^negative * significand * 2^(offset + LSB), with OFFSET_MIN <= offset <= OFFSET_MAX.
// LEAD is the lowest position that the leading one of a non-zero significand can have (P - 1 if it is normalised), and
// LEAD_OFF the same for offset > OFFSET_MIN, where a floating-point operand is never subnormal. They bound every later
// shift.
template <int P, int OFFSET_MAX, int LSB, int LEAD, int LEAD_OFF = LEAD, int OFFSET_MIN = 0>
struct term {
  static constexpr int precision = P;
  static constexpr int offset_min = OFFSET_MIN;
  static constexpr int offset_max = OFFSET_MAX;
  static constexpr int lsb = LSB;
  static constexpr int lead = LEAD;
  static constexpr int lead_off = LEAD_OFF;
  using offset_t = ap_uint<bits_for(OFFSET_MAX)>;

  ap_uint<1> negative;
  offset_t offset;
  ap_uint<P> significand;
};

template <int P, int OFFSET_MAX, int LSB, int LEAD, int LEAD_OFF, int OFFSET_MIN>
HWGEN_INLINE ap_uint<1> is_zero(term<P, OFFSET_MAX, LSB, LEAD, LEAD_OFF, OFFSET_MIN> t) {
  return t.significand == 0;
}

template <class F>
using term_of = term<F::precision, F::offset_max, F::lsb, F::normalised ? F::precision - 1 : 0,
                     F::offset_max == 0 ? 0 : F::precision - 1>;

// A term with the special values that a term cannot hold. The flags of a format without such values are constants.
template <class TERM>
struct unpacked {
  TERM value;
  ap_uint<1> is_nan;
  ap_uint<1> is_inf;
};

template <class F>
HWGEN_INLINE unpacked<term_of<F>> unpack(ap_uint<F::width> x, float_tag) {
  const int e = F::exponent_width;
  const int m = F::mantissa_width;
  const ap_uint<e> field = x.range(e + m - 1, m);
  const ap_uint<F::precision> fraction = x & ((ap_uint<F::width>(1) << m) - 1);
  const ap_uint<1> is_normal = field != 0;
  const ap_uint<1> top_exponent = field == ap_uint<e>((1 << e) - 1);

  unpacked<term_of<F>> u;
  u.value.negative = x[F::width - 1];
  // A subnormal has the smallest normal's exponent, without the hidden one. A flushed one is a zero.
  u.value.offset = is_normal ? ap_uint<e>(field - 1) : ap_uint<e>(0);
  u.value.significand = fraction | (ap_uint<F::precision>(is_normal) << m);
  if (!F::subnormals && !is_normal) u.value.significand = 0;

  u.is_inf = F::has_inf && top_exponent && fraction == 0;
  u.is_nan = F::has_inf                      ? ap_uint<1>(top_exponent && fraction != 0)
             : F::encoding == specials::fn   ? ap_uint<1>(x.range(e + m - 1, 0) == F::all_ones())
             : F::encoding == specials::fnuz ? ap_uint<1>(x == F::nan())
                                             : ap_uint<1>(0);
  return u;
}

template <class F>
HWGEN_INLINE unpacked<term_of<F>> unpack(ap_uint<F::width> x, fixed_tag) {
  unpacked<term_of<F>> u;
  u.value.negative = F::is_signed ? ap_uint<1>(x[F::width - 1]) : ap_uint<1>(0);
  u.value.offset = 0;
  u.value.significand = u.value.negative ? ap_uint<F::width>(~x + 1) : x;
  u.is_inf = 0;
  u.is_nan = 0;
  return u;
}

// Split the bit pattern of format F.
template <class F>
HWGEN_INLINE unpacked<term_of<F>> unpack(ap_uint<F::width> x) {
  return unpack<F>(x, typename F::family());
}

// --- operands of add, mul and fma: the offset is the exponent field itself, which needs no subtraction ---

template <class F, class FAMILY>
struct operand_form {
  using type = term_of<F>;
  static HWGEN_INLINE unpacked<type> unpack_as(ap_uint<F::width> x) { return unpack<F>(x); }
};
template <class F>
struct operand_form<F, float_tag> {
  using from_zero = term_of<F>;
  using type = term<from_zero::precision, from_zero::offset_max + 1, from_zero::lsb - 1, from_zero::lead,
                    from_zero::lead_off, 1>;
  static HWGEN_INLINE unpacked<type> unpack_as(ap_uint<F::width> x) {
    const int e = F::exponent_width;
    const unpacked<from_zero> u = unpack<F>(x);
    const ap_uint<e> field = x.range(F::width - 2, F::mantissa_width);
    unpacked<type> v;
    v.value.negative = u.value.negative;
    v.value.offset = field | ap_uint<e>(field == 0);
    v.value.significand = u.value.significand;
    v.is_nan = u.is_nan;
    v.is_inf = u.is_inf;
    return v;
  }
};
template <class F>
HWGEN_INLINE unpacked<typename operand_form<F, typename F::family>::type> unpack_operand(ap_uint<F::width> x) {
  return operand_form<F, typename F::family>::unpack_as(x);
}

}  // namespace hwgen
