// Text of an ap_int, for testbenches: to_string and operator<<, with AMD's prefixes and leading zeros.
// Not for direct inclusion: see ap_int.h, which leaves this out when HWGEN_LOWER is defined.

#ifndef HWGEN_OPEN_AP_INT_TEXT_H
#define HWGEN_OPEN_AP_INT_TEXT_H

#include <ostream>
#include <string>

#include "ap_int_select.h"
#include "ap_int_widths.h"

namespace ap_open {

// Radix 2, 8 and 16 carry the prefix 0b, 0o or 0x, and a digit 0 when the first digit's top bit is set but is no sign.
template <int W, bool S>
std::string ap_int_base<W, S>::to_string(int radix, bool wants_sign) const {
  const bool negative = wants_sign && radix != 2 && sign();
  bits_t<W + 5> rest = bits();  // room for the radix itself
  if (negative) rest = static_cast<bits_t<W>>(-bits());

  std::string digits;
  int top = 0;
  do {
    top = static_cast<int>(rest % static_cast<bits_t<W + 5>>(radix));
    digits.insert(digits.begin(), "0123456789abcdef"[top]);
    rest = static_cast<bits_t<W + 5>>(rest / static_cast<bits_t<W + 5>>(radix));
  } while (rest != 0);

  const int bits_per_digit = radix == 16 ? 4 : radix == 8 ? 3 : 1;
  const bool looks_negative = (top >> (bits_per_digit - 1)) == 1;
  if (radix != 10 && !negative && looks_negative && static_cast<int>(digits.size()) * bits_per_digit < W) {
    digits.insert(digits.begin(), '0');
  }
  const char* const prefix = radix == 16 ? "0x" : radix == 8 ? "0o" : radix == 2 ? "0b" : "";
  return (negative ? "-" : "") + (prefix + digits);
}

template <int W, bool S>
std::ostream& operator<<(std::ostream& stream, const ap_int_base<W, S>& x) {
  const bool hex = (stream.flags() & std::ios_base::hex) != 0;
  const bool oct = (stream.flags() & std::ios_base::oct) != 0;
  return stream << x.to_string(hex ? 16 : oct ? 8 : 10);
}
template <int W, bool S>
std::ostream& operator<<(std::ostream& stream, const ap_range_ref<W, S>& x) {
  return stream << ap_uint<W>(x);
}

}  // namespace ap_open

#endif
