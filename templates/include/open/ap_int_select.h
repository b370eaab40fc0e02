// Bit, range and concatenation references: x[i], x(hi, lo) and (a, b), read and written.
//
// A reference names bits of an object and must not outlive it. All selection is by shift and mask, so indices may be
// run-time values. Not for direct inclusion: see ap_int.h.
//
// Deviations from AMD's ap_types: a reversed range x(lo, hi), which reverses the bits there, is refused; ranges have no
// and_reduce/or_reduce/xor_reduce (AMD's skip the top bit) and no |= &= ^= (AMD's act on the whole parent).

#ifndef HWGEN_OPEN_AP_INT_SELECT_H
#define HWGEN_OPEN_AP_INT_SELECT_H

#include "ap_int_widths.h"

// An index out of bounds is a bug in the kernel and found in csim; lowered code has no way to say so.
#if defined(NDEBUG) || defined(HWGEN_LOWER)
#define HWGEN_AP_REQUIRE(condition) static_cast<void>(0)
#else
#include <cassert>
#define HWGEN_AP_REQUIRE(condition) assert(condition)
#endif

namespace ap_open {

// The value of any operand, in a type that holds it exactly.
template <typename T, typename = typename std::enable_if<shape_of<T>::what == kind::native>::type>
HWGEN_AP_INLINE number_t<shape_of<T>::width, shape_of<T>::sign> number_of(T x) {
  return static_cast<number_t<shape_of<T>::width, shape_of<T>::sign>>(x);
}
template <int W, bool S>
HWGEN_AP_INLINE number_t<W, S> number_of(const ap_int_base<W, S>& x) {
  return x.number();
}
template <int W, bool S>
HWGEN_AP_INLINE bits_t<1> number_of(const ap_bit_ref<W, S>& x) {
  return x.get();
}
template <int W, bool S>
HWGEN_AP_INLINE bits_t<W> number_of(const ap_range_ref<W, S>& x) {
  return x.get();
}
template <typename High, typename Low>
HWGEN_AP_INLINE bits_t<shape_of<ap_concat_ref<High, Low>>::width> number_of(const ap_concat_ref<High, Low>& x) {
  return x.get();
}

// The value as an operator without an overload for references sees it: converted to 64 bits, losing the rest.
template <typename T>
HWGEN_AP_INLINE auto argument_of(const T& x) -> decltype(number_of(x)) {
  return number_of(x);
}
template <int W, bool S>
HWGEN_AP_INLINE unsigned long long argument_of(const ap_range_ref<W, S>& x) {
  return x.to_uint64();
}
template <typename High, typename Low>
HWGEN_AP_INLINE unsigned long long argument_of(const ap_concat_ref<High, Low>& x) {
  return static_cast<unsigned long long>(x.get());
}

template <int W, bool S>
struct ap_bit_ref {
  ap_int_base<W, S>& object;
  int index;

  HWGEN_AP_INLINE ap_bit_ref(ap_int_base<W, S>& x, int i) : object(x), index(i) {}
  ap_bit_ref(const ap_bit_ref&) = default;

  HWGEN_AP_INLINE bits_t<1> get() const { return static_cast<bits_t<1>>(object.get_bit(index)); }
  HWGEN_AP_INLINE operator bool() const { return object.get_bit(index); }
  HWGEN_AP_INLINE bool to_bool() const { return object.get_bit(index); }
  HWGEN_AP_INLINE bool operator~() const { return !object.get_bit(index); }
  HWGEN_AP_INLINE int length() const { return 1; }

  // Any non-zero value sets the bit, as converting to bool does.
  template <typename T, int = shape_of<T>::width>
  HWGEN_AP_INLINE ap_bit_ref& operator=(T x) {
    return assign(argument_of(x) != 0);
  }
  HWGEN_AP_INLINE ap_bit_ref& operator=(const ap_bit_ref& x) { return assign(x.to_bool()); }
  HWGEN_AP_INLINE ap_bit_ref& assign(bool x) {
    object.set_bit(index, x);
    return *this;
  }
  template <int N>
  HWGEN_AP_INLINE void put(bits_t<N> x) {
    assign((x & 1) != 0);
  }
};

template <int W, bool S>
struct ap_range_ref {
  ap_int_base<W, S>& object;
  int high;
  int low;

  HWGEN_AP_INLINE ap_range_ref(ap_int_base<W, S>& x, int hi, int lo) : object(x), high(hi), low(lo) {
    HWGEN_AP_REQUIRE(0 <= lo && lo <= hi && hi < W);
  }
  ap_range_ref(const ap_range_ref&) = default;

  HWGEN_AP_INLINE int length() const { return high - low + 1; }
  // Shifting ones down, and not up, keeps the shift amount below W whatever the length.
  HWGEN_AP_INLINE bits_t<W> mask() const { return static_cast<bits_t<W>>(~bits_t<W>(0)) >> (W - length()); }
  HWGEN_AP_INLINE bits_t<W> get() const {
    return static_cast<bits_t<W>>(static_cast<bits_t<W>>(object.bits() >> low) & mask());
  }
  template <int N>
  HWGEN_AP_INLINE void put(bits_t<N> x) {
    const bits_t<W> kept = static_cast<bits_t<W>>(object.bits() & ~static_cast<bits_t<W>>(mask() << low));
    object.set_bits(static_cast<bits_t<W>>(kept | ((static_cast<bits_t<W>>(x) & mask()) << low)));
  }

  HWGEN_AP_INLINE operator unsigned long long() const { return to_uint64(); }
  HWGEN_AP_INLINE int to_int() const { return static_cast<int>(get()); }
  HWGEN_AP_INLINE unsigned to_uint() const { return static_cast<unsigned>(get()); }
  HWGEN_AP_INLINE long to_long() const { return static_cast<long>(get()); }
  HWGEN_AP_INLINE unsigned long to_ulong() const { return static_cast<unsigned long>(get()); }
  HWGEN_AP_INLINE long long to_int64() const { return static_cast<long long>(get()); }
  HWGEN_AP_INLINE unsigned long long to_uint64() const { return static_cast<unsigned long long>(get()); }

  template <typename T, int = shape_of<T>::width>
  HWGEN_AP_INLINE ap_range_ref& operator=(T x) {
    put<W>(static_cast<bits_t<W>>(argument_of(x)));
    return *this;
  }
  template <int W2, bool S2>
  HWGEN_AP_INLINE ap_range_ref& operator=(const ap_range_ref<W2, S2>& x) {
    put<W>(static_cast<bits_t<W>>(x.get()));
    return *this;
  }
  HWGEN_AP_INLINE ap_range_ref& operator=(const ap_range_ref& x) {
    put<W>(x.get());
    return *this;
  }
};

// The parts are references (bit, range or concatenation), held by value: `object` in them is what is written.
// Widths are those of the parts' parents, but the parts lie side by side by their actual lengths, as in AMD's.
template <typename High, typename Low>
struct ap_concat_ref {
  static constexpr int high_width = shape_of<High>::width;
  static constexpr int low_width = shape_of<Low>::width;
  static constexpr int width = high_width + low_width;

  High high;
  Low low;

  HWGEN_AP_INLINE ap_concat_ref(High h, Low l) : high(h), low(l) {}
  ap_concat_ref(const ap_concat_ref&) = default;

  HWGEN_AP_INLINE int length() const { return high.length() + low.length(); }
  HWGEN_AP_INLINE bits_t<width> get() const {
    return static_cast<bits_t<width>>(
        static_cast<bits_t<width>>(static_cast<bits_t<width>>(high.get()) << low.length()) |
        static_cast<bits_t<width>>(low.get()));
  }
  template <int N>
  HWGEN_AP_INLINE void put(bits_t<N> x) {
    const bits_t<width> all = static_cast<bits_t<width>>(x);
    high.template put<width>(static_cast<bits_t<width>>(all >> low.length()));
    low.template put<width>(all);
  }

  HWGEN_AP_INLINE operator unsigned long long() const { return static_cast<unsigned long long>(get()); }

  template <typename T, int = shape_of<T>::width>
  HWGEN_AP_INLINE ap_concat_ref& operator=(T x) {
    put<width>(static_cast<bits_t<width>>(number_of(x)));
    return *this;
  }
  HWGEN_AP_INLINE ap_concat_ref& operator=(const ap_concat_ref& x) {
    put<width>(x.get());
    return *this;
  }
};

}  // namespace ap_open

#endif
