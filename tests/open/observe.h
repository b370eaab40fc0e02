// Loads operands and prints results with their exact type, for programs that are built with AMD's ap_int.h and with
// ours and must print the same.

#ifndef HWGEN_TESTS_OBSERVE_H
#define HWGEN_TESTS_OBSERVE_H

#include <ap_int.h>

#include <cstdint>
#include <cstdio>
#include <type_traits>

// xorshift64: the same operands whatever the compiler.
static std::uint64_t random_state = 1;

inline std::uint64_t random_word() {
  random_state ^= random_state << 13;
  random_state ^= random_state >> 7;
  random_state ^= random_state << 17;
  return random_state;
}

// Half of the patterns are the ones that arithmetic gets wrong: 0, -1, the largest, the smallest, small numbers.
inline bool pattern_bit(int pattern, int i, int width) {
  switch (pattern) {
    case 0:
      return false;
    case 1:
      return true;
    case 2:
      return i == width - 1;
    case 3:
      return i != width - 1;
    case 4:
      return i < 3 && (random_word() >> 40 & 1) != 0;
    default:
      return (random_word() >> 40 & 1) != 0;
  }
}

template <int W, bool S>
void load(ap_int_base<W, S>& x) {
  const int pattern = static_cast<int>(random_word() >> 33) % 10;
  for (int i = 0; i < W; ++i) x.set_bit(i, pattern_bit(pattern, i, W));
}
template <typename T>
typename std::enable_if<std::is_integral<T>::value>::type load(T& x) {
  const int width = 8 * static_cast<int>(sizeof(T));
  const int pattern = static_cast<int>(random_word() >> 33) % 10;
  std::uint64_t bits = 0;
  for (int i = 0; i < width; ++i) bits |= static_cast<std::uint64_t>(pattern_bit(pattern, i, width)) << i;
  x = static_cast<T>(bits);
}
inline void load(bool& x) { x = (random_word() >> 40 & 1) != 0; }

template <typename T>
void load_nonzero(T& x) {
  load(x);
  if (x == 0) x = 1;
}

// Shift amounts on both sides of 0 and of the widths in use.
template <typename T>
void load_amount(T& x) {
  load(x);
  x = static_cast<T>(x % 600);
}

template <int W, bool S>
void show(int id, const ap_int_base<W, S>& x) {
  std::printf("%d %c%d ", id, S ? 'i' : 'u', W);
  for (int i = (W + 3) / 4 - 1; i >= 0; --i) {
    int digit = 0;
    for (int j = 3; j >= 0; --j) digit = 2 * digit + (4 * i + j < W ? static_cast<int>(x[4 * i + j]) : 0);
    std::printf("%x", static_cast<unsigned>(digit));
  }
  std::printf("\n");
}

#define HWGEN_SHOW_NATIVE(type) \
  inline void show(int id, type x) { std::printf("%d " #type " %llx\n", id, static_cast<unsigned long long>(x)); }
HWGEN_SHOW_NATIVE(bool)
HWGEN_SHOW_NATIVE(char)
HWGEN_SHOW_NATIVE(signed char)
HWGEN_SHOW_NATIVE(unsigned char)
HWGEN_SHOW_NATIVE(short)
HWGEN_SHOW_NATIVE(unsigned short)
HWGEN_SHOW_NATIVE(int)
HWGEN_SHOW_NATIVE(unsigned)
HWGEN_SHOW_NATIVE(long)
HWGEN_SHOW_NATIVE(unsigned long)
HWGEN_SHOW_NATIVE(long long)
HWGEN_SHOW_NATIVE(unsigned long long)
#undef HWGEN_SHOW_NATIVE

#endif
