// The width and sign rules of ap_int arithmetic, apart from any arithmetic.
//
// AMD's ap_types give every operator a result wide enough for its exact value, and a handful of exceptions that
// follow from which overload C++ happens to pick. Both are part of what Vitis HLS synthesises, so both are here:
// `rules` holds the plain rules, `ruled` the exceptions. Not for direct inclusion: see ap_int.h.

#ifndef HWGEN_OPEN_AP_INT_WIDTHS_H
#define HWGEN_OPEN_AP_INT_WIDTHS_H

#include <type_traits>

// Inlining must not depend on the optimiser's mood: a call left over is a circuit that cannot be lowered. Even inlined
// calls leave the marks of their calling convention: System V's passes 65 to 128 bits as two halves, through memory
// that LLVM then cannot remove; Microsoft's passes them by address, which leaves nothing. Without line tables of their
// own, they are at the line that uses them when the compiler to RTL refuses something.
#if defined(__x86_64__)
#define HWGEN_AP_INLINE __attribute__((always_inline, nodebug, ms_abi)) constexpr
#else
#define HWGEN_AP_INLINE __attribute__((always_inline, nodebug)) constexpr
#endif

namespace ap_open {

template <int W, bool S>
struct ap_int_base;
template <int W>
struct ap_int;
template <int W>
struct ap_uint;
template <int W, bool S>
struct ap_range_ref;
template <int W, bool S>
struct ap_bit_ref;
template <typename High, typename Low>
struct ap_concat_ref;

constexpr int max(int a, int b) { return a > b ? a : b; }
constexpr int min(int a, int b) { return a < b ? a : b; }

template <int W>
using bits_t = unsigned _BitInt(W);

// A type in which a W-bit number is computed with. C++ has no signed _BitInt(1): two bits hold its 0 and -1.
template <int W, bool S>
struct number {
  using type = bits_t<W>;
};
template <int W>
struct number<W, true> {
  using type = _BitInt(W < 2 ? 2 : W);
};
template <int W, bool S>
using number_t = typename number<W, S>::type;

template <int W, bool S>
using ap_t = typename std::conditional<S, ap_int<W>, ap_uint<W>>::type;

// What an operand is, seen from an operator. `parent` is the sign of the object that a range selects from.
enum class kind { whole, native, range, bit, concat };

template <int W, bool S, kind K, bool Parent = S>
struct shape {
  static constexpr int width = W;
  static constexpr bool sign = S;
  static constexpr kind what = K;
  static constexpr bool parent = Parent;
};

// No member `width` for types that are no operand, so that operators step aside for them.
template <typename T, typename = void>
struct shape_of {};

template <int W, bool S>
struct shape_of<ap_int_base<W, S>> : shape<W, S, kind::whole> {};
template <int W>
struct shape_of<ap_int<W>> : shape<W, true, kind::whole> {};
template <int W>
struct shape_of<ap_uint<W>> : shape<W, false, kind::whole> {};
// A range is as wide as its parent in every width rule, whatever its indices, for these may be known at run time only.
template <int W, bool S>
struct shape_of<ap_range_ref<W, S>> : shape<W, false, kind::range, S> {};
template <int W, bool S>
struct shape_of<ap_bit_ref<W, S>> : shape<1, false, kind::bit> {};
template <typename High, typename Low>
struct shape_of<ap_concat_ref<High, Low>> : shape<ap_concat_ref<High, Low>::width, false, kind::concat> {};

template <>
struct shape_of<bool> : shape<1, false, kind::native> {};
template <typename T>
struct native_shape : shape<8 * static_cast<int>(sizeof(T)), (T(-1) < T(0)), kind::native> {};
template <>
struct shape_of<char> : native_shape<char> {};
template <>
struct shape_of<signed char> : native_shape<signed char> {};
template <>
struct shape_of<unsigned char> : native_shape<unsigned char> {};
template <>
struct shape_of<short> : native_shape<short> {};
template <>
struct shape_of<unsigned short> : native_shape<unsigned short> {};
template <>
struct shape_of<int> : native_shape<int> {};
template <>
struct shape_of<unsigned> : native_shape<unsigned> {};
template <>
struct shape_of<long> : native_shape<long> {};
template <>
struct shape_of<unsigned long> : native_shape<unsigned long> {};
template <>
struct shape_of<long long> : native_shape<long long> {};
template <>
struct shape_of<unsigned long long> : native_shape<unsigned long long> {};
// Beyond AMD: raw bits, so that a shim between C and a kernel needs no cast.
template <int N>
struct shape_of<unsigned _BitInt(N)> : shape<N, false, kind::native> {};
template <int N>
struct shape_of<_BitInt(N)> : shape<N, true, kind::native> {};
// Unscoped enumerations are promoted, as they are when C++ picks among AMD's overloads.
template <typename T>
struct shape_of<T, typename std::enable_if<std::is_enum<T>::value && std::is_convertible<T, int>::value>::type>
    : shape_of<decltype(+T())> {};

// Where no operator is written for a concatenation or a range, AMD's classes convert it to this.
using as_native = shape<64, false, kind::native>;

template <typename A, typename B>
constexpr bool either(kind k) {
  return A::what == k || B::what == k;
}

// Exact results of an operator on a W1-bit and a W2-bit number (UG1399, "Class Methods, Operators").
template <int W1, bool S1, int W2, bool S2>
struct rules {
  static constexpr bool any_sign = S1 || S2;
  // Both operands fit in this width with the common sign.
  static constexpr int common = max(W1 + (S2 && !S1), W2 + (S1 && !S2));

  using plus = ap_t<common + 1, any_sign>;
  using minus = ap_t<common + 1, true>;
  using mult = ap_t<W1 + W2, any_sign>;
  using div = ap_t<W1 + S2, any_sign>;
  using mod = ap_t<min(W1, W2 + (S1 && !S2)), S1>;
  using logic = ap_t<common, any_sign>;
  using left = ap_t<W1, S1>;
};

template <typename A, typename B>
using exact = rules<A::width, A::sign, B::width, B::sign>;

// The type AMD returns. It differs from the exact one in two cases, and then may lose bits, as AMD's does:
// a native left operand takes the rule with the operands swapped (it matters to / and %), and a range beside an
// ap_int counts as signed if its parent is, though its value is not.
template <typename A, typename B, bool Swap = (A::what == kind::native && B::what == kind::whole)>
struct ruled : rules<A::width, B::what == kind::whole ? A::parent : A::sign,  //
                     B::width, A::what == kind::whole ? B::parent : B::sign> {};
template <typename A, typename B>
struct ruled<A, B, true> : rules<B::width, B::sign, A::width, A::sign> {};

// The shape of a concatenation beside something else.
template <typename A, bool Keep>
using beside = typename std::conditional<A::what == kind::concat && !Keep, as_native, A>::type;

// Arithmetic is defined on pairs with an ap_int or a range in it, and on pairs of concatenations; whatever else there
// is (two bit references, a concatenation and an int) C++ converts to native integers.
template <typename A, typename B,
          bool = either<A, B>(kind::whole) || either<A, B>(kind::range) ||
                 (A::what == kind::concat && B::what == kind::concat)>
struct arithmetic {};
template <typename A, typename B>
struct arithmetic<A, B, true> {
  using a = beside<A, B::what == kind::concat>;
  using b = beside<B, A::what == kind::concat>;
  using result = ruled<a, b>;
};

// & | ^ keep the width of a concatenation beside an ap_int, and do not make room for the other's sign.
template <typename A, typename B, bool = either<A, B>(kind::whole) && either<A, B>(kind::concat)>
struct logical : arithmetic<A, B> {};
template <typename A, typename B>
struct logical<A, B, true> {
  using a = A;
  using b = B;
  struct result {
    using logic = ap_t<max(A::width, B::width), A::what == kind::whole ? A::sign : B::sign>;
  };
};

// Shifts of a native integer or a bit by an ap_int are native shifts.
template <typename A, typename B,
          bool = A::what == kind::whole || A::what == kind::range || A::what == kind::concat ||
                 (A::what == kind::bit && B::what == kind::whole) || B::what == kind::range>
struct shifting {};
template <typename A, typename B>
struct shifting<A, B, true> {
  using amount = beside<B, A::what == kind::concat>;
  using left = typename ruled<A, amount, false>::left;
};

// Comparisons of a native integer or a bit with anything but an ap_int are native comparisons.
template <typename A, typename B,
          bool = A::what == kind::whole || A::what == kind::range || A::what == kind::concat || B::what == kind::whole>
struct comparison {};
template <typename A, typename B>
struct comparison<A, B, true> {
  static constexpr bool native_range = A::what == kind::concat && B::what == kind::range;
  using a = beside<A, true>;
  using b = typename std::conditional<native_range, as_native, beside<B, A::what == kind::whole>>::type;

  static constexpr int wider = max(a::width, b::width);
  // Mixed signs follow C's rule for native integers: between types of which the signed one is not wider, the signed
  // operand is taken as unsigned, unless both are narrow enough for C to promote them to int.
  static constexpr bool exact =
      a::sign == b::sign || (a::width < 32 && b::width < 32) || (a::sign ? a::width > b::width : b::width > a::width);
  using order = number_t<wider + (a::sign != b::sign), exact && (a::sign || b::sign)>;
  using equality = bits_t<max(wider, 32)>;
};

template <typename T>
using plain_shape = shape<shape_of<T>::width, shape_of<T>::sign, shape_of<T>::what, shape_of<T>::parent>;

}  // namespace ap_open

#endif
