// A kernel that uses most of ap_int.h as arithmetic kernels do: the object of the warning and lowering tests.

#include <ap_int.h>

namespace sample {

enum { guard_bits = 3 };

struct format {
  static const int bias = 7;  // declared, never defined: must not be taken the address of
};

template <int W>
inline __attribute__((always_inline)) ap_uint<W> reversed(ap_uint<W> x) {
  ap_uint<W> y;
  for (int i = 0; i < W; ++i) y[i] = x[W - 1 - i];
  return y;
}

void kernel(ap_uint<8> a, ap_int<9> b, ap_uint<5> n, ap_uint<40>& y) {
  const ap_uint<1> sign = a[7];
  const ap_uint<4> exponent = a(6, 3);
  ap_uint<4> significand = (ap_uint<1>(1), a(2, 0));
  if (exponent == 0) significand[3] = 0;

  const ap_int<6> unbiased = exponent - format::bias;
  ap_int<13> product = b * significand;
  product <<= guard_bits;
  product -= unbiased;
  if (sign) product = -product;

  ap_uint<32> wide = 0;
  wide(12, 0) = product;
  wide.range(31, 28) = reversed(significand);
  wide |= ap_uint<32>(a) << n;
  const ap_uint<32> shifted = (wide >> n) + (wide << unbiased);

  const int zeros = shifted.countLeadingZeros();
  const bool sticky = (shifted & ((ap_uint<32>(1) << n) - 1)).or_reduce() || shifted.xor_reduce();
  const ap_int<1> one_bit = product.sign() ? 1 : 0;
  ap_uint<6> high;
  ap_uint<3> low;
  (high, low) = b;
  const ap_uint<7> mixed = (product < shifted) ? ap_uint<7>(high + zeros) : ap_uint<7>(low % 5);
  // Between one and two machine words, where the calling convention is at its worst.
  const ap_uint<96> square = (shifted, wide) * ap_uint<32>(high);
  const ap_int<97> difference = reversed(square) - (square >> n);
  y = (shifted, mixed, ap_uint<1>(sticky));
  y ^= difference(70, 31);
  y ^= one_bit;
}

}  // namespace sample
