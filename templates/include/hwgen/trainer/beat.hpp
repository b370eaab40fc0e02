// A beat of a data stream: 128 bits, and whether it ends a frame.
#pragma once

#include <ap_axi_sdata.h>

#include "hwgen/trainer/messages.hpp"

namespace hwgen {
namespace trainer {

using beat_t = ap_axiu<beat_bits, 0, 0, 0>;

}  // namespace trainer
}  // namespace hwgen
