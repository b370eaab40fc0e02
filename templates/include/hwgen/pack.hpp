// Words of several elements, element 0 lowest: apart and together. Done by halves, which is a tree of constant shifts
// to every compiler.
#pragma once

#include "hwgen/rounding.hpp"

namespace hwgen {

template <int W, int FIRST, int N>
struct element_span {
  static constexpr int low = N / 2;
  template <int TOTAL>
  static HWGEN_INLINE void split(const ap_uint<W * N>& word, ap_uint<W> (&elements)[TOTAL]) {
    element_span<W, FIRST, low>::split(ap_uint<W * low>(word), elements);
    element_span<W, FIRST + low, N - low>::split(ap_uint<W*(N - low)>(word >> (W * low)), elements);
  }
  template <int TOTAL>
  static HWGEN_INLINE ap_uint<W * N> join(const ap_uint<W> (&elements)[TOTAL]) {
    const ap_uint<W * N> high = element_span<W, FIRST + low, N - low>::join(elements);
    return (high << (W * low)) | ap_uint<W * N>(element_span<W, FIRST, low>::join(elements));
  }
};
template <int W, int FIRST>
struct element_span<W, FIRST, 1> {
  template <int TOTAL>
  static HWGEN_INLINE void split(const ap_uint<W>& word, ap_uint<W> (&elements)[TOTAL]) {
    elements[FIRST] = word;
  }
  template <int TOTAL>
  static HWGEN_INLINE ap_uint<W> join(const ap_uint<W> (&elements)[TOTAL]) {
    return elements[FIRST];
  }
};

template <int W, int N>
HWGEN_INLINE void split_word(const ap_uint<W * N>& word, ap_uint<W> (&elements)[N]) {
  element_span<W, 0, N>::split(word, elements);
}

template <int W, int N>
HWGEN_INLINE ap_uint<W * N> joined_word(const ap_uint<W> (&elements)[N]) {
  return element_span<W, 0, N>::join(elements);
}

// The random words of N roundings, from one word; deterministic rules have none.
template <class RANDOM, int N>
struct element_words;
template <int N>
struct element_words<no_random, N> {
  no_random word[N];
};
template <int R, int N>
struct element_words<ap_uint<R>, N> {
  ap_uint<R> word[N];
  HWGEN_INLINE element_words(const ap_uint<R * N>& dealt) { split_word<R, N>(dealt, word); }
};

}  // namespace hwgen
