// Text of an ap_int, for testbenches: to_string and operator<<.
//
// Radix 2, 8 and 16 carry the prefix 0b, 0o or 0x. Digits are lower case without leading zeros; AMD's vary with the
// width. Not for direct inclusion: see ap_int.h, which leaves this out when HWGEN_LOWER is defined.

#ifndef HWGEN_OPEN_AP_INT_TEXT_H
#define HWGEN_OPEN_AP_INT_TEXT_H

#include <ostream>
#include <string>

#include "ap_int_select.h"
#include "ap_int_widths.h"

namespace ap_open {

template <int W, bool S>
std::string text_of(const ap_int_base<W, S>& x, int radix, bool wants_sign) {
  using wide = bits_t<W + 5>;  // room for the radix itself
  const bool negative = wants_sign && radix != 2 && x.sign();
  wide rest = negative ? static_cast<bits_t<W>>(-x.bits()) : x.bits();
  std::string digits;
  do {
    digits.insert(digits.begin(), "0123456789abcdef"[static_cast<int>(rest % static_cast<wide>(radix))]);
    rest = static_cast<wide>(rest / static_cast<wide>(radix));
  } while (rest != 0);
  const char* const prefix = radix == 16 ? "0x" : radix == 8 ? "0o" : radix == 2 ? "0b" : "";
  return (negative ? "-" : "") + (prefix + digits);
}

template <int W, bool S>
std::ostream& operator<<(std::ostream& stream, const ap_int_base<W, S>& x) {
  const std::ios_base::fmtflags flags = stream.flags();
  return stream << x.to_string((flags & std::ios_base::hex) != 0 ? 16 : (flags & std::ios_base::oct) != 0 ? 8 : 10);
}
template <int W, bool S>
std::ostream& operator<<(std::ostream& stream, const ap_range_ref<W, S>& x) {
  return stream << ap_uint<W>(x);
}

}  // namespace ap_open

#endif
