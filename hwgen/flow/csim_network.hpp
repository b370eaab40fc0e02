// The C++ of a network of kernels, run natively: words between arrays and the streams at its edge.
//
// The generated code around this file includes the design first, and names streams.
#pragma once

#include <ap_axi_sdata.h>
#include <hls_task.h>

#include <__verbose_abort>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "engine.hpp"
#include "hls_word.h"

// libc++'s documented hook for its fatal errors: this library is linked without libc++'s binary part.
void std::__libcpp_verbose_abort(const char*, ...) noexcept { std::abort(); }

namespace hwgen {

template <typename T>
struct has_last {
  static constexpr bool value = false;
};
template <int W>
struct has_last<ap_axiu<W, 0, 0, 0>> {
  static constexpr bool value = true;
};

// Words of type T, of which LIMBS 64-bit limbs hold the data.
template <typename T, std::size_t LIMBS>
class EdgePort final : public Port {
 public:
  explicit EdgePort(hls::stream<T>& stream) : stream_(stream) {}

  std::size_t size() const override { return stream_.size(); }
  void push(const std::uint64_t* words, const std::uint8_t* last, std::size_t count) override {
    for (std::size_t i = 0; i < count; ++i) {
      limbs_t data = 0;
      std::memcpy(&data, words + i * LIMBS, LIMBS * 8);
      const bits_t all = static_cast<bits_t>(static_cast<bits_t>(data) | top(last[i]));
      stream_.write(word::value(all));
    }
  }
  void pop(std::uint64_t* words, std::uint8_t* last, std::size_t count) override {
    for (std::size_t i = 0; i < count; ++i) {
      const bits_t all = word::bits(stream_.read());
      const limbs_t data = static_cast<limbs_t>(all & ~top(true));
      std::memcpy(words + i * LIMBS, &data, LIMBS * 8);
      last[i] = (all & top(true)) != 0;
    }
  }

 private:
  using word = ap_open::stream_word<T>;
  using bits_t = unsigned _BitInt(word::width);
  using limbs_t = unsigned _BitInt(LIMBS * 64);

  // The last bit, if the type has one.
  static bits_t top(bool last) {
    return has_last<T>::value && last ? static_cast<bits_t>(static_cast<bits_t>(1) << (word::width - 1)) : 0;
  }

  hls::stream<T>& stream_;
};

inline void run(Port* const* ports, std::uint64_t most, const Goal* goals, std::size_t count, Report& report) {
  hls::open::turns& tasks = hls::open::turns::all();
  const std::uint64_t before = tasks.most_calls();
  while (!reached(ports, goals, count) && tasks.most_calls() - before < most && tasks.turn()) continue;
  report.cycles = tasks.most_calls() - before;
}

}  // namespace hwgen
