// Words of digits, as the operand memories have them.
#pragma once

#include "hwgen/format.hpp"

namespace hwgen {
namespace trainer {

// A digit of `lanes` elements of each row, row after row.
template <class CORE>
using word_a = ap_uint<CORE::digit * CORE::lanes * CORE::rows>;

// The same of each column; where products are counted, the bits of all columns side by side for each lane and bit.
template <class CORE>
using word_b = ap_uint<CORE::digit * CORE::lanes * CORE::cols>;

// Whether products of digits are counted bit by bit, which is smaller for small digits, and not multiplied.
template <class CORE>
constexpr bool counts_products() {
  return CORE::digit <= 2;
}

// The greatest product of digits without a sign.
constexpr int largest_product(int digit) { return ((1 << digit) - 1) * ((1 << digit) - 1); }

}  // namespace trainer
}  // namespace hwgen
