// Open stand-in for AMD's ap_int.h: ap_int<W> and ap_uint<W> over clang's _BitInt(W).
//
// Used only where Vitis' own headers are absent: a kernel compiles natively, fast, or to LLVM IR of plain iN values,
// and means the same as with AMD's ap_types, bit for bit and type for type (checked against them). It covers what
// integer kernels use; ap_fixed, floating-point conversion, rotation and SystemC are left out.
//
// Deviations from the C simulation of AMD's ap_types:
//   - an object without initialiser is 0; AMD's holds garbage. Partial writes then stay free of undefined bits;
//   - exact here, wrong in AMD's: / and % of mixed signs when the unsigned operand is the wider one (or the dividend,
//     for %), some % beyond 64 bits, xor_reduce of negative numbers, nand_reduce beyond 64 bits, shift amounts beyond
//     32 bits;
//   - & | ^ of a const ap_int and a concatenation keep all bits, as they do without const; AMD's keep 64;
//   - `if (x)` and x.to_bool() beyond 64 bits are refused, since AMD's look at the low 64 only: write x != 0;
//   - hexadecimal text may start with the digits 0b or 0d, which AMD's takes for a prefix and drops;
//   - ranges: see ap_int_select.h; printing: see ap_int_text.h.

#ifndef HWGEN_OPEN_AP_INT_H
#define HWGEN_OPEN_AP_INT_H

#ifndef __clang__
#error "this ap_int.h needs clang's _BitInt: use clang, or put AMD's ap_types on the include path"
#endif

#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wbit-int-extension"

#include "ap_int_select.h"
#include "ap_int_widths.h"

namespace ap_open {

template <int W, bool S>
struct ap_int_base {
  static_assert(W >= 1, "an integer has at least one bit");
  static constexpr int width = W;

  // C++ has no signed _BitInt(1); ap_int<1> keeps its one bit unsigned.
  typename std::conditional<(S && W > 1), _BitInt(W < 2 ? 2 : W), bits_t<W>>::type value;

  // --- construction -------------------------------------------------------------------------------------------------
  HWGEN_AP_INLINE ap_int_base() : value(0) {}
  template <typename T, int = shape_of<T>::width>
  HWGEN_AP_INLINE ap_int_base(T x) : value(0) {
    set_bits(static_cast<bits_t<W>>(number_of(x)));
  }
  // Digits in `radix` (2 to 16), which 0b, 0o and 0x select when it is 0; a sign may lead.
  constexpr explicit ap_int_base(const char* text, int radix) : value(0) {
    const bool negative = *text == '-';
    if (*text == '-' || *text == '+') ++text;
    const char mark = text[0] == '0' ? static_cast<char>(text[1] | 0x20) : '\0';
    const int marked = mark == 'x' ? 16 : mark == 'o' ? 8 : mark == 'b' && radix != 16 ? 2 : 0;
    if (marked != 0 && (radix == 0 || radix == marked)) {
      radix = marked;
      text += 2;
    }
    bits_t<W + 5> sum = 0;  // room for the radix itself
    for (; *text != '\0'; ++text) {
      const int digit = *text <= '9' ? *text - '0' : (*text | 0x20) - 'a' + 10;
      HWGEN_AP_REQUIRE(0 <= digit && digit < (radix == 0 ? 10 : radix));
      sum = static_cast<bits_t<W + 5>>(sum * static_cast<bits_t<W + 5>>(radix == 0 ? 10 : radix) +
                                       static_cast<bits_t<W + 5>>(digit));
    }
    set_bits(static_cast<bits_t<W>>(negative ? static_cast<bits_t<W + 5>>(-sum) : sum));
  }

  // --- raw bits and value -------------------------------------------------------------------------------------------
  HWGEN_AP_INLINE bits_t<W> bits() const { return static_cast<bits_t<W>>(value); }
  HWGEN_AP_INLINE void set_bits(bits_t<W> x) { value = static_cast<decltype(value)>(x); }
  HWGEN_AP_INLINE number_t<W, S> number() const {
    return S && W == 1 ? static_cast<number_t<W, S>>(-static_cast<number_t<W, S>>(value))
                       : static_cast<number_t<W, S>>(value);
  }

  // --- conversion to native types -----------------------------------------------------------------------------------
  using native = typename std::conditional<S, long long, unsigned long long>::type;
  HWGEN_AP_INLINE operator native() const { return static_cast<native>(number()); }
  HWGEN_AP_INLINE explicit operator bool() const {
    static_assert(W <= 64, "AMD's conversion to bool looks at the low 64 bits only: write x != 0");
    return value != 0;
  }
  HWGEN_AP_INLINE bool to_bool() const { return static_cast<bool>(*this); }
  HWGEN_AP_INLINE char to_char() const { return static_cast<char>(number()); }
  HWGEN_AP_INLINE signed char to_schar() const { return static_cast<signed char>(number()); }
  HWGEN_AP_INLINE unsigned char to_uchar() const { return static_cast<unsigned char>(number()); }
  HWGEN_AP_INLINE short to_short() const { return static_cast<short>(number()); }
  HWGEN_AP_INLINE unsigned short to_ushort() const { return static_cast<unsigned short>(number()); }
  HWGEN_AP_INLINE int to_int() const { return static_cast<int>(number()); }
  HWGEN_AP_INLINE unsigned to_uint() const { return static_cast<unsigned>(number()); }
  HWGEN_AP_INLINE long to_long() const { return static_cast<long>(number()); }
  HWGEN_AP_INLINE unsigned long to_ulong() const { return static_cast<unsigned long>(number()); }
  HWGEN_AP_INLINE long long to_int64() const { return static_cast<long long>(number()); }
  HWGEN_AP_INLINE unsigned long long to_uint64() const { return static_cast<unsigned long long>(number()); }

  // --- single bits --------------------------------------------------------------------------------------------------
  HWGEN_AP_INLINE int length() const { return W; }
  HWGEN_AP_INLINE bool is_zero() const { return value == 0; }
  HWGEN_AP_INLINE bool iszero() const { return value == 0; }
  HWGEN_AP_INLINE bool sign() const { return S && get_bit(W - 1); }
  HWGEN_AP_INLINE bool get_bit(int i) const {
    HWGEN_AP_REQUIRE(0 <= i && i < W);
    return static_cast<bool>(static_cast<bits_t<W>>(bits() >> i) & static_cast<bits_t<W>>(1));
  }
  HWGEN_AP_INLINE void set_bit(int i, bool x) {
    HWGEN_AP_REQUIRE(0 <= i && i < W);
    const bits_t<W> others = static_cast<bits_t<W>>(bits() & ~static_cast<bits_t<W>>(static_cast<bits_t<W>>(1) << i));
    set_bits(static_cast<bits_t<W>>(others | static_cast<bits_t<W>>(static_cast<bits_t<W>>(x) << i)));
  }
  HWGEN_AP_INLINE bool test(int i) const { return get_bit(i); }
  HWGEN_AP_INLINE void set(int i, bool x = true) { set_bit(i, x); }
  HWGEN_AP_INLINE void clear(int i) { set_bit(i, false); }
  HWGEN_AP_INLINE void invert(int i) { set_bit(i, !get_bit(i)); }
  HWGEN_AP_INLINE void b_not() { set_bits(static_cast<bits_t<W>>(~bits())); }

  // --- selection (AMD too selects from a const object by a reference to it) -----------------------------------------
  HWGEN_AP_INLINE ap_bit_ref<W, S> operator[](int i) { return ap_bit_ref<W, S>(*this, i); }
  HWGEN_AP_INLINE bool operator[](int i) const { return get_bit(i); }
  HWGEN_AP_INLINE ap_bit_ref<W, S> bit(int i) { return ap_bit_ref<W, S>(*this, i); }
  HWGEN_AP_INLINE bool bit(int i) const { return get_bit(i); }
  HWGEN_AP_INLINE ap_range_ref<W, S> range(int high, int low) { return ap_range_ref<W, S>(*this, high, low); }
  HWGEN_AP_INLINE const ap_range_ref<W, S> range(int high, int low) const {
    return ap_range_ref<W, S>(const_cast<ap_int_base&>(*this), high, low);
  }
  HWGEN_AP_INLINE ap_range_ref<W, S> range() { return range(W - 1, 0); }
  HWGEN_AP_INLINE const ap_range_ref<W, S> range() const { return range(W - 1, 0); }
  HWGEN_AP_INLINE ap_range_ref<W, S> operator()(int high, int low) { return range(high, low); }
  HWGEN_AP_INLINE const ap_range_ref<W, S> operator()(int high, int low) const { return range(high, low); }

  // --- reductions ---------------------------------------------------------------------------------------------------
  HWGEN_AP_INLINE bool and_reduce() const { return static_cast<bits_t<W>>(~bits()) == 0; }
  HWGEN_AP_INLINE bool or_reduce() const { return value != 0; }
  HWGEN_AP_INLINE bool xor_reduce() const { return (__builtin_popcountg(bits()) & 1) != 0; }
  HWGEN_AP_INLINE bool nand_reduce() const { return !and_reduce(); }
  HWGEN_AP_INLINE bool nor_reduce() const { return !or_reduce(); }
  HWGEN_AP_INLINE bool xnor_reduce() const { return !xor_reduce(); }
  HWGEN_AP_INLINE int countLeadingZeros() const { return __builtin_clzg(bits(), W); }

  // --- assignment operators: the exact result, cut to W bits --------------------------------------------------------
  template <typename T, int = shape_of<T>::width>
  HWGEN_AP_INLINE ap_int_base& operator+=(T x) {
    set_bits(static_cast<bits_t<W>>(bits() + static_cast<bits_t<W>>(argument_of(x))));
    return *this;
  }
  template <typename T, int = shape_of<T>::width>
  HWGEN_AP_INLINE ap_int_base& operator-=(T x) {
    set_bits(static_cast<bits_t<W>>(bits() - static_cast<bits_t<W>>(argument_of(x))));
    return *this;
  }
  template <typename T, int = shape_of<T>::width>
  HWGEN_AP_INLINE ap_int_base& operator*=(T x) {
    set_bits(static_cast<bits_t<W>>(bits() * static_cast<bits_t<W>>(argument_of(x))));
    return *this;
  }
  template <typename T, int = shape_of<T>::width>
  HWGEN_AP_INLINE ap_int_base& operator/=(T x) {
    return *this = *this / argument_of(x);
  }
  template <typename T, int = shape_of<T>::width>
  HWGEN_AP_INLINE ap_int_base& operator%=(T x) {
    return *this = *this % argument_of(x);
  }
  template <typename T, int = shape_of<T>::width>
  HWGEN_AP_INLINE ap_int_base& operator&=(T x) {
    set_bits(static_cast<bits_t<W>>(bits() & static_cast<bits_t<W>>(argument_of(x))));
    return *this;
  }
  template <typename T, int = shape_of<T>::width>
  HWGEN_AP_INLINE ap_int_base& operator|=(T x) {
    set_bits(static_cast<bits_t<W>>(bits() | static_cast<bits_t<W>>(argument_of(x))));
    return *this;
  }
  template <typename T, int = shape_of<T>::width>
  HWGEN_AP_INLINE ap_int_base& operator^=(T x) {
    set_bits(static_cast<bits_t<W>>(bits() ^ static_cast<bits_t<W>>(argument_of(x))));
    return *this;
  }
  template <typename T, int = shape_of<T>::width>
  HWGEN_AP_INLINE ap_int_base& operator<<=(T x) {
    return *this = *this << argument_of(x);
  }
  template <typename T, int = shape_of<T>::width>
  HWGEN_AP_INLINE ap_int_base& operator>>=(T x) {
    return *this = *this >> argument_of(x);
  }
  HWGEN_AP_INLINE ap_int_base& operator++() { return *this += 1; }
  HWGEN_AP_INLINE ap_int_base& operator--() { return *this -= 1; }
  HWGEN_AP_INLINE const ap_t<W, S> operator++(int) {
    const ap_t<W, S> old = *this;
    *this += 1;
    return old;
  }
  HWGEN_AP_INLINE const ap_t<W, S> operator--(int) {
    const ap_t<W, S> old = *this;
    *this -= 1;
    return old;
  }

  // --- unary operators ----------------------------------------------------------------------------------------------
  HWGEN_AP_INLINE ap_t<W, S> operator+() const { return *this; }
  HWGEN_AP_INLINE typename rules<1, false, W, S>::minus operator-() const {
    using full = number_t<rules<1, false, W, S>::common + 1, true>;
    return static_cast<full>(-static_cast<full>(number()));
  }
  HWGEN_AP_INLINE ap_t<W, S> operator~() const { return static_cast<bits_t<W>>(~bits()); }
  HWGEN_AP_INLINE bool operator!() const { return value == 0; }

  // Defined by ap_int_text.h: a deduced type, so that this header can do without <string>.
  auto to_string(int radix = 2, bool wants_sign = S) const { return text_of(*this, radix, wants_sign); }
};

template <int W>
struct ap_int : ap_int_base<W, true> {
  HWGEN_AP_INLINE ap_int() : ap_int_base<W, true>() {}
  template <typename T, int = shape_of<T>::width>
  HWGEN_AP_INLINE ap_int(T x) : ap_int_base<W, true>(x) {}
  constexpr ap_int(const char* text, int radix = 0) : ap_int_base<W, true>(text, radix) {}
};

template <int W>
struct ap_uint : ap_int_base<W, false> {
  HWGEN_AP_INLINE ap_uint() : ap_int_base<W, false>() {}
  template <typename T, int = shape_of<T>::width>
  HWGEN_AP_INLINE ap_uint(T x) : ap_int_base<W, false>(x) {}
  constexpr ap_uint(const char* text, int radix = 0) : ap_int_base<W, false>(text, radix) {}
};

}  // namespace ap_open

#include "ap_int_operators.h"
#ifndef HWGEN_LOWER  // printing is no hardware, and <string> doubles the compile time
#include "ap_int_text.h"
#endif

#pragma clang diagnostic pop

using ap_open::ap_int;
using ap_open::ap_int_base;
using ap_open::ap_uint;

#endif
