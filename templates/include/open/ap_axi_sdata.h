// Open stand-in for AMD's ap_axi_sdata.h: ap_axiu<W, 0, 0, 0>, a word of an AXI4-Stream with TLAST.
//
// Used only where Vitis' own headers are absent. It has data, keep, strb and last. In hardware made by our flow a word
// is {last, data}: keep and strb mean "every byte counts", whatever is written to them, and read as all ones.

#ifndef HWGEN_OPEN_AP_AXI_SDATA_H
#define HWGEN_OPEN_AP_AXI_SDATA_H

#include <ap_int.h>

// Of AMD's template only the form without user, id and destination signals.
template <int Data, int User, int Id, int Dest>
struct ap_axiu {
  static_assert(User == 0 && Id == 0 && Dest == 0, "this stand-in has no TUSER, TID and TDEST");

  ap_uint<Data> data;
  ap_uint<(Data + 7) / 8> keep;
  ap_uint<(Data + 7) / 8> strb;
  ap_uint<1> last;
};

#ifdef HWGEN_OPEN_AP_INT_H
#include "hls_word.h"

#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wbit-int-extension"

namespace ap_open {

template <int W>
struct stream_word<ap_axiu<W, 0, 0, 0>> {
  static constexpr int width = W + 1;
  __attribute__((always_inline, nodebug)) static bits_t<width> bits(const ap_axiu<W, 0, 0, 0>& x) {
    const bits_t<width> last = static_cast<bits_t<width>>(static_cast<bits_t<width>>(x.last.bits()) << W);
    return static_cast<bits_t<width>>(last | static_cast<bits_t<width>>(x.data.bits()));
  }
  __attribute__((always_inline, nodebug)) static ap_axiu<W, 0, 0, 0> value(bits_t<width> bits) {
    ap_axiu<W, 0, 0, 0> x;
    x.data = static_cast<bits_t<W>>(bits);
    x.keep = -1;
    x.strb = -1;
    x.last = static_cast<bits_t<1>>(bits >> W);
    return x;
  }
};

}  // namespace ap_open

#pragma clang diagnostic pop
#endif

#endif
