// The bits that a value is in a stream of our flow: natively at the edge of a network, and in the compiler to RTL.
// Not part of AMD's headers; kernels do not use it.

#ifndef HWGEN_OPEN_HLS_WORD_H
#define HWGEN_OPEN_HLS_WORD_H

#include <ap_int.h>

#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wbit-int-extension"

namespace ap_open {

// Integers are their own bits; ap_axi_sdata.h adds words with a last bit.
template <typename T>
struct stream_word {
  static constexpr int width = shape_of<T>::width;
  __attribute__((always_inline, nodebug)) static bits_t<width> bits(const T& x) {
    return static_cast<bits_t<width>>(number_of(x));
  }
  __attribute__((always_inline, nodebug)) static T value(bits_t<width> bits) { return static_cast<T>(bits); }
};

}  // namespace ap_open

#pragma clang diagnostic pop

#endif
