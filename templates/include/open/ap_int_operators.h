// Binary operators between ap_ints, references to their bits, and native integers.
//
// Every operator computes exactly, in a type that holds operands and result, and converts to the type of AMD's rules
// (ap_int_widths.h). They live in ap_open, so that only expressions with one of our types in them ever look at them.
// Operands come by value: a reference would need the address of a `static const int` member, which may have none.
// Not for direct inclusion: see ap_int.h.

#ifndef HWGEN_OPEN_AP_INT_OPERATORS_H
#define HWGEN_OPEN_AP_INT_OPERATORS_H

#include "ap_int_select.h"
#include "ap_int_widths.h"

namespace ap_open {

template <typename Shape, typename T>
HWGEN_AP_INLINE number_t<Shape::width, Shape::sign> operand(const T& x) {
  return static_cast<number_t<Shape::width, Shape::sign>>(number_of(x));
}

// --- arithmetic and logic -------------------------------------------------------------------------------------------

// The types that hold both operands and the exact result. Division needs a bit more than its result has: the most
// negative number divided by -1 overflows, in the remainder too.
template <typename A, typename B>
struct full {
  using plus = number_t<exact<A, B>::common + 1, exact<A, B>::any_sign>;
  using minus = number_t<exact<A, B>::common + 1, true>;
  using mult = number_t<A::width + B::width, exact<A, B>::any_sign>;
  using div = number_t<exact<A, B>::common + exact<A, B>::any_sign, exact<A, B>::any_sign>;
  using mod = div;
  using logic = number_t<exact<A, B>::common, exact<A, B>::any_sign>;
};

#define HWGEN_AP_BINARY(symbol, family, rule)                                              \
  template <typename A, typename B, typename P = family<plain_shape<A>, plain_shape<B>>>   \
  HWGEN_AP_INLINE typename P::result::rule operator symbol(A x, B y) {                     \
    using number = typename full<typename P::a, typename P::b>::rule;                      \
    return static_cast<number>(static_cast<number>(operand<typename P::a>(x))              \
                                   symbol static_cast<number>(operand<typename P::b>(y))); \
  }
HWGEN_AP_BINARY(+, arithmetic, plus)
HWGEN_AP_BINARY(-, arithmetic, minus)
HWGEN_AP_BINARY(*, arithmetic, mult)
HWGEN_AP_BINARY(/, arithmetic, div)
HWGEN_AP_BINARY(%, arithmetic, mod)
HWGEN_AP_BINARY(&, logical, logic)
HWGEN_AP_BINARY(|, logical, logic)
HWGEN_AP_BINARY(^, logical, logic)
#undef HWGEN_AP_BINARY

// --- shifts: the width of the left operand; a negative amount shifts the other way ----------------------------------

// Amounts of W and more are legal, but not for the native shift: it is clamped.
template <int W, bool S, typename N>
HWGEN_AP_INLINE bits_t<W> shifted_left(number_t<W, S> x, N amount) {
  constexpr int width = max(shape_of<N>::width, 16);
  const bool all_out = static_cast<bits_t<width>>(amount) >= static_cast<bits_t<width>>(W);
  const bits_t<W> bits = static_cast<bits_t<W>>(x);
  return all_out ? static_cast<bits_t<W>>(0) : static_cast<bits_t<W>>(bits << amount);
}
template <int W, bool S, typename N>
HWGEN_AP_INLINE bits_t<W> shifted_right(number_t<W, S> x, N amount) {
  constexpr int width = max(shape_of<N>::width, 16);
  const bool all_out = static_cast<bits_t<width>>(amount) >= static_cast<bits_t<width>>(W);
  if (S) {
    return static_cast<bits_t<W>>(x >>
                                  (all_out ? static_cast<bits_t<width>>(W - 1) : static_cast<bits_t<width>>(amount)));
  }
  return all_out ? static_cast<bits_t<W>>(0) : static_cast<bits_t<W>>(x >> amount);
}

// The magnitude of a negative amount fits the unsigned type of its width.
#define HWGEN_AP_SHIFT(symbol, forward, backward)                                                    \
  template <typename A, typename B, typename P = shifting<plain_shape<A>, plain_shape<B>>>           \
  HWGEN_AP_INLINE typename P::left operator symbol(A x, B y) {                                       \
    constexpr int width = shape_of<A>::width;                                                        \
    constexpr bool sign = shape_of<A>::sign;                                                         \
    using magnitude = bits_t<P::amount::width>;                                                      \
    const auto amount = operand<typename P::amount>(y);                                              \
    const number_t<width, sign> number = number_of(x);                                               \
    const bits_t<width> bits =                                                                       \
        P::amount::sign && amount < 0                                                                \
            ? backward<width, sign>(number, static_cast<magnitude>(-static_cast<magnitude>(amount))) \
            : forward<width, sign>(number, static_cast<magnitude>(amount));                          \
    return ap_t<width, sign>(bits);                                                                  \
  }
HWGEN_AP_SHIFT(<<, shifted_left, shifted_right)
HWGEN_AP_SHIFT(>>, shifted_right, shifted_left)
#undef HWGEN_AP_SHIFT

// --- comparisons ----------------------------------------------------------------------------------------------------

#define HWGEN_AP_COMPARE(symbol, number)                                                               \
  template <typename A, typename B, typename P = comparison<plain_shape<A>, plain_shape<B>>,           \
            typename N = typename P::number>                                                           \
  HWGEN_AP_INLINE bool operator symbol(A x, B y) {                                                     \
    return static_cast<N>(operand<typename P::a>(x)) symbol static_cast<N>(operand<typename P::b>(y)); \
  }
HWGEN_AP_COMPARE(==, equality)
HWGEN_AP_COMPARE(!=, equality)
HWGEN_AP_COMPARE(<, order)
HWGEN_AP_COMPARE(<=, order)
HWGEN_AP_COMPARE(>, order)
HWGEN_AP_COMPARE(>=, order)
#undef HWGEN_AP_COMPARE

// --- concatenation --------------------------------------------------------------------------------------------------

template <int W, bool S>
HWGEN_AP_INLINE ap_range_ref<W, S> part(ap_int_base<W, S>& x) {
  return x.range();
}
template <int W, bool S>
HWGEN_AP_INLINE ap_range_ref<W, S> part(const ap_int_base<W, S>& x) {
  return x.range();
}
template <int W, bool S>
HWGEN_AP_INLINE ap_bit_ref<W, S> part(const ap_bit_ref<W, S>& x) {
  return x;
}
template <int W, bool S>
HWGEN_AP_INLINE ap_range_ref<W, S> part(const ap_range_ref<W, S>& x) {
  return x;
}
template <typename High, typename Low>
HWGEN_AP_INLINE ap_concat_ref<High, Low> part(const ap_concat_ref<High, Low>& x) {
  return x;
}
template <typename T>
using part_t = decltype(part(std::declval<T&>()));

template <typename High, typename Low>
HWGEN_AP_INLINE ap_concat_ref<part_t<High>, part_t<Low>> operator,(High&& high, Low&& low) {
  return ap_concat_ref<part_t<High>, part_t<Low>>(part(high), part(low));
}

template <typename T>
using native_only = typename std::enable_if<shape_of<T>::what == kind::native>::type;

// A native operand makes a value of the concatenation. AMD's sign-extends it when it is the low part beside another
// concatenation, and when it is the high part beside a range, so that the bits above are ones.
template <typename High, typename Low, typename P = part_t<High>, typename = native_only<Low>>
HWGEN_AP_INLINE ap_uint<shape_of<P>::width + shape_of<Low>::width> operator,(High&& high, Low low) {
  constexpr int low_width = shape_of<Low>::width;
  using all = bits_t<shape_of<P>::width + low_width>;
  const auto number = number_of(low);
  const all extended = shape_of<P>::what == kind::concat ? static_cast<all>(number)
                                                         : static_cast<all>(static_cast<bits_t<low_width>>(number));
  return static_cast<all>(static_cast<all>(static_cast<all>(part(high).get()) << low_width) | extended);
}
template <typename High, typename Low, typename P = part_t<Low>, typename = native_only<High>, typename = void>
HWGEN_AP_INLINE ap_uint<shape_of<High>::width + shape_of<P>::width> operator,(High high, Low&& low) {
  using all = bits_t<shape_of<High>::width + shape_of<P>::width>;
  return static_cast<all>(static_cast<all>(static_cast<all>(number_of(high)) << low.length()) |
                          static_cast<all>(part(low).get()));
}

}  // namespace ap_open

#endif
