// Steps a multiply-accumulate unit through a matrix product, many result columns at a time.
//
// The order of the products within a result is the definition (see docs/gemm.md) and is kept: l = 0, 1, 2, ... What
// runs side by side is independent results of one row, so that the unit's own C++, inlined into the loop over them,
// becomes vector code. The generated code beside this file names the unit, its ports and its random words.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "hwgen/lfsr.hpp"

namespace hwgen_gemm {

// The smallest machine type that holds BITS bits.
template <int BITS>
using storage = std::conditional_t<
    BITS <= 8, std::uint8_t,
    std::conditional_t<BITS <= 16, std::uint16_t, std::conditional_t<BITS <= 32, std::uint32_t, std::uint64_t>>>;

// One matrix product; the field order is repeated in gemm.py. All matrices lie row by row without gaps.
struct Problem {
  const void* a;        // rows x inner
  const void* b;        // inner x columns
  void* c;              // rows x columns: the addend, then the result
  const void* states;   // rows x columns: where the generator of each result starts, if the unit has one
  std::uint64_t inner;  // a multiple of the products that the unit takes at once
  std::uint64_t columns;
  std::uint64_t seed;  // of the words that a port takes
  std::uint64_t mode;  // of a unit with selectable formats
};

// ---- random words: for each row of a panel `start`, for each step `advance`, then one `word` per lane ----

struct NoWords {
  using word_t = std::uint8_t;
  void start(const Problem&, std::size_t, std::size_t, int) {}
  void advance(std::size_t) {}
  HWGEN_INLINE word_t word(int) { return 0; }
};

// Philox4x32-10 of Salmon, Moraes, Dror and Shaw (SC 2011), the counter of a call being (call, column, row, 0).
template <int BITS, int LANES>
struct CounterWords {
  using word_t = storage<BITS>;
  using drawn_t = std::conditional_t<BITS <= 32, std::uint32_t, std::uint64_t>;
  static constexpr int width = 8 * sizeof(drawn_t);
  static constexpr int to_a_word = width / BITS;
  static constexpr int words = 128 / width;
  static constexpr int to_a_call = words * to_a_word;
  static constexpr drawn_t mask = static_cast<drawn_t>(~drawn_t(0)) >> (width - BITS);

  void start(const Problem& problem, std::size_t row, std::size_t column, int) {
    row_ = static_cast<std::uint32_t>(row);
    column_ = static_cast<std::uint32_t>(column);
    key_ = problem.seed;
  }

  void advance(std::size_t step) {
    const unsigned place = static_cast<unsigned>(step % to_a_call);
    if (place == 0) draw(static_cast<std::uint32_t>(step / to_a_call));
    current_ = drawn_[place / to_a_word];
    shift_ = static_cast<int>(place % to_a_word) * BITS;
  }

  HWGEN_INLINE word_t word(int lane) { return static_cast<word_t>((current_[lane] >> shift_) & mask); }

 private:
  void draw(std::uint32_t call) {
#pragma clang loop vectorize(enable)
    for (int lane = 0; lane < LANES; ++lane) {
      std::uint32_t x0 = call, x1 = column_ + static_cast<std::uint32_t>(lane), x2 = row_, x3 = 0;
      std::uint32_t low_key = static_cast<std::uint32_t>(key_), high_key = static_cast<std::uint32_t>(key_ >> 32);
#pragma clang loop unroll(full)
      for (int round = 0; round < 10; ++round) {
        const std::uint64_t left = std::uint64_t(x0) * 0xD2511F53u, right = std::uint64_t(x2) * 0xCD9E8D57u;
        x0 = static_cast<std::uint32_t>(right >> 32) ^ x1 ^ low_key;
        x2 = static_cast<std::uint32_t>(left >> 32) ^ x3 ^ high_key;
        x1 = static_cast<std::uint32_t>(right);
        x3 = static_cast<std::uint32_t>(left);
        low_key += 0x9E3779B9u;
        high_key += 0xBB67AE85u;
      }
      store(lane, x0, x1, x2, x3, drawn_t());
    }
  }

  void store(int lane, std::uint32_t x0, std::uint32_t x1, std::uint32_t x2, std::uint32_t x3, std::uint32_t) {
    drawn_[0][lane] = x0;
    drawn_[1][lane] = x1;
    drawn_[words - 2][lane] = x2;
    drawn_[words - 1][lane] = x3;
  }
  void store(int lane, std::uint32_t x0, std::uint32_t x1, std::uint32_t x2, std::uint32_t x3, std::uint64_t) {
    drawn_[0][lane] = static_cast<drawn_t>(x0 | std::uint64_t(x1) << 32);
    drawn_[1][lane] = static_cast<drawn_t>(x2 | std::uint64_t(x3) << 32);
  }

  alignas(64) drawn_t drawn_[words][LANES];
  const drawn_t* current_;
  int shift_;
  std::uint32_t row_, column_;
  std::uint64_t key_;
};

// The unit's own shift register, a copy for each result that starts where the unit would arrive at that result.
template <int BITS, int WIDTH, std::uint64_t TAPS, int LANES>
struct RegisterWords {
  using word_t = storage<BITS>;
  using state_t = storage<WIDTH>;

  void start(const Problem& problem, std::size_t row, std::size_t column, int used) {
    const state_t* from = static_cast<const state_t*>(problem.states) + row * problem.columns + column;
    for (int lane = 0; lane < LANES; ++lane) states_[lane] = lane < used ? from[lane] : state_t(0);
  }
  void advance(std::size_t) {}
  HWGEN_INLINE word_t word(int lane) {
    const ap_uint<WIDTH> state = states_[lane];
    states_[lane] = static_cast<state_t>(hwgen::lfsr_advance<BITS>(state, ap_uint<WIDTH>(TAPS)).to_uint64());
    return static_cast<word_t>(hwgen::lfsr_word<BITS>(state).to_uint64());
  }

 private:
  alignas(64) state_t states_[LANES];
};

// ---- the product ----

// N elements of EW bits as one word, element 0 lowest; they lie `stride` apart.
template <int EW, int N>
struct Joined {
  template <class T>
  static HWGEN_INLINE ap_uint<EW * N> of(const T* elements, std::size_t stride) {
    const ap_uint<EW*(N / 2)> low = Joined<EW, N / 2>::of(elements, stride);
    const ap_uint<EW*(N - N / 2)> high = Joined<EW, N - N / 2>::of(elements + N / 2 * stride, stride);
    return ap_uint<EW * N>(low) | (ap_uint<EW * N>(high) << (EW * (N / 2)));
  }
};
template <int EW>
struct Joined<EW, 1> {
  template <class T>
  static HWGEN_INLINE ap_uint<EW> of(const T* elements, std::size_t) {
    return *elements;
  }
};

// Rows [first, last) of `used` <= LANES columns from `column` on. `panel` holds inner * LANES elements of b: its
// columns side by side, so that every load is of consecutive lanes, and unused lanes read zeros.
template <class UNIT, class WORDS, int LANES>
void multiply_panel(const Problem& problem, std::size_t first, std::size_t last, std::size_t column, int used,
                    typename UNIT::b_t* __restrict__ panel) {
  using a_t = typename UNIT::a_t;
  using b_t = typename UNIT::b_t;
  using c_t = typename UNIT::c_t;
  const b_t* b = static_cast<const b_t*>(problem.b) + column;
  for (std::size_t l = 0; l < problem.inner; ++l) {
    for (int lane = 0; lane < LANES; ++lane) panel[l * LANES + lane] = lane < used ? b[l * problem.columns + lane] : 0;
  }
  const std::uint64_t mode = problem.mode;
  for (std::size_t row = first; row < last; ++row) {
    const a_t* a = static_cast<const a_t*>(problem.a) + row * problem.inner;
    c_t* c = static_cast<c_t*>(problem.c) + row * problem.columns + column;
    alignas(64) c_t sums[LANES];
    for (int lane = 0; lane < LANES; ++lane) sums[lane] = lane < used ? c[lane] : 0;
    WORDS words;
    words.start(problem, row, column, used);
    for (std::size_t step = 0; step < problem.inner / UNIT::terms; ++step) {
      const auto left = UNIT::left(a + step * UNIT::terms);
      const b_t* __restrict__ right = panel + step * UNIT::terms * LANES;
      words.advance(step);
      // As many lanes at once as the widest vectors have bytes: the 8-bit parts of the unit then waste none.
#pragma clang loop vectorize(enable) vectorize_width(LANES < 64 ? LANES : 64) interleave_count(1)
      for (int lane = 0; lane < LANES; ++lane) {
        sums[lane] = UNIT::step(left, UNIT::right(right + lane, LANES), sums[lane], words.word(lane), mode);
      }
    }
    for (int lane = 0; lane < used; ++lane) c[lane] = sums[lane];
  }
}

}  // namespace hwgen_gemm
