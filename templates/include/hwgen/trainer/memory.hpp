// The kernels that own the memories: each serves one writer and its readers, in every clock one request of each.
//
// A command's message that it is done passes through the memory that it wrote behind its last word, so whoever hears of
// it finds the words there.
#pragma once

#include <hls_stream.h>

#include "hwgen/trainer/messages.hpp"

namespace hwgen {
namespace trainer {

// Scratch memory: words of `lanes` elements of 16 bits, as they came from the stream. A read request that asks for
// nothing gives zeros: padding of a convolution, and rows past the end.
template <class CORE>
struct scratch_read {
  static constexpr int width = 1 + CORE::scratch_address;
  ap_uint<1> inside;
  ap_uint<CORE::scratch_address> address;

  HWGEN_INLINE ap_uint<width> word() const { return fields<width>::none().put(inside).put(address).word; }
  static HWGEN_INLINE scratch_read of(ap_uint<width> word) {
    scratch_read r;
    fields<width>::of(word).take(r.inside).take(r.address);
    return r;
  }
};

template <class CORE>
using scratch_write = write_request<CORE::scratch_address, CORE::element_bits * CORE::lanes>;

template <class CORE>
HWGEN_INLINE void scratch_memory(hls::stream<ap_uint<scratch_write<CORE>::width>>& writes,
                                 hls::stream<ap_uint<scratch_read<CORE>::width>>& reads,
                                 hls::stream<ap_uint<CORE::element_bits * CORE::lanes>>& words,
                                 hls::stream<ap_uint<done::width>>& ends) {
  using word_t = ap_uint<CORE::element_bits * CORE::lanes>;
  static word_t memory[CORE::scratch_words];
#pragma HLS bind_storage variable = memory type = ram_s2p
  ap_uint<scratch_read<CORE>::width> read;
  if (reads.read_nb(read)) {
    const scratch_read<CORE> r = scratch_read<CORE>::of(read);
    const word_t stored = memory[r.address];
    words.write(r.inside ? stored : word_t(0));
  }
  ap_uint<scratch_write<CORE>::width> write;
  if (writes.read_nb(write)) {
    const scratch_write<CORE> w = scratch_write<CORE>::of(write);
    if (w.writes) memory[w.address] = w.data;
    if (w.ends) ends.write(w.end);
  }
}

// Plane memory of one operand: a word holds the same digit of `lanes` elements of each of ROWS rows. It is written a
// row at a time, so each row is a bank; the array reads all banks at once: row after row, or the bits of all rows
// SIDE_BY_SIDE for each lane and bit. What is read goes out with the marks that came with the request.
template <class CORE, int ROWS>
struct plane_write {
  static constexpr int bank_bits = bits_for(ROWS - 1);
  using request = write_request<bank_bits + CORE::plane_address, CORE::digit * CORE::lanes>;
};

template <class CORE, int ROWS, int WORDS, int MARKS, bool SIDE_BY_SIDE>
HWGEN_INLINE void plane_memory(hls::stream<ap_uint<plane_write<CORE, ROWS>::request::width>>& writes,
                               hls::stream<ap_uint<CORE::plane_address + MARKS>>& reads,
                               hls::stream<ap_uint<CORE::digit * CORE::lanes * ROWS + MARKS>>& words,
                               hls::stream<ap_uint<done::width>>& ends) {
  constexpr int bank_width = CORE::digit * CORE::lanes;
  using request = typename plane_write<CORE, ROWS>::request;
  using words_t = ap_uint<bank_width * ROWS + MARKS>;
  static ap_uint<bank_width> bank[ROWS][WORDS];
#pragma HLS array_partition variable = bank dim = 1 complete
#pragma HLS bind_storage variable = bank type = ram_s2p
  ap_uint<CORE::plane_address + MARKS> read;
  if (reads.read_nb(read)) {
    const ap_uint<CORE::plane_address> address = read;
    words_t word = words_t(read >> CORE::plane_address) << (bank_width * ROWS);
    for (int row = 0; row < ROWS; ++row) {
#pragma HLS unroll
      const ap_uint<bank_width> line = bank[row][address];
      if (SIDE_BY_SIDE) {
        for (int bit = 0; bit < bank_width; ++bit) {
#pragma HLS unroll
          word |= words_t(ap_uint<1>(line >> bit)) << (ROWS * bit + row);
        }
      } else {
        word |= words_t(line) << (bank_width * row);
      }
    }
    words.write(word);
  }
  ap_uint<request::width> write;
  if (writes.read_nb(write)) {
    const request w = request::of(write);
    const ap_uint<CORE::plane_address> address = w.address;
    const ap_uint<plane_write<CORE, ROWS>::bank_bits> chosen = w.address >> CORE::plane_address;
    for (int row = 0; row < ROWS; ++row) {
#pragma HLS unroll
      if (w.writes && chosen == row) bank[row][address] = w.data;
    }
    if (w.ends) ends.write(w.end);
  }
}

// Result memory: words of `cols` sums. The drain reads what it adds to, the store stage what it sends; the drain goes
// first, for the array waits for it. The fetch stage writes what a LOAD brings.
template <class CORE>
using result_write = write_request<CORE::result_address, CORE::result_bits * CORE::cols>;

// Stands for a reader's requests and words on a core that has it not.
template <class CORE>
struct no_reader {
  HWGEN_INLINE bool read_nb(ap_uint<CORE::result_address>&) { return false; }
  HWGEN_INLINE void write(ap_uint<CORE::result_bits * CORE::cols>) {}
};

template <class CORE, class REQUESTS, class WORDS>
HWGEN_INLINE void serve_results(hls::stream<ap_uint<result_write<CORE>::width>>& writes,
                                hls::stream<ap_uint<result_write<CORE>::width>>& loads,
                                hls::stream<ap_uint<CORE::result_address>>& drain_reads, REQUESTS& addend_reads,
                                hls::stream<ap_uint<CORE::result_address>>& store_reads,
                                hls::stream<ap_uint<CORE::result_bits * CORE::cols>>& drain_words, WORDS& addend_words,
                                hls::stream<ap_uint<CORE::result_bits * CORE::cols>>& store_words,
                                hls::stream<ap_uint<done::width>>& ends, hls::stream<ap_uint<done::width>>& load_ends) {
  using word_t = ap_uint<CORE::result_bits * CORE::cols>;
  static word_t memory[CORE::result_words];
#pragma HLS bind_storage variable = memory type = ram_s2p
  ap_uint<CORE::result_address> address;
  const bool for_drain = drain_reads.read_nb(address);
  ap_uint<CORE::result_address> addend;
  const bool for_lanes = !for_drain && addend_reads.read_nb(addend);
  ap_uint<CORE::result_address> asked;
  const bool for_store = !for_drain && !for_lanes && store_reads.read_nb(asked);
  if (for_drain || for_lanes || for_store) {
    const word_t stored = memory[for_drain ? address : for_lanes ? addend : asked];
    if (for_drain) {
      drain_words.write(stored);
    } else if (for_lanes) {
      addend_words.write(stored);
    } else {
      store_words.write(stored);
    }
  }
  // The drain's writes go first, too.
  ap_uint<result_write<CORE>::width> write;
  const bool drained = writes.read_nb(write);
  ap_uint<result_write<CORE>::width> load;
  const bool loaded = !drained && loads.read_nb(load);
  if (drained || loaded) {
    const result_write<CORE> w = result_write<CORE>::of(drained ? write : load);
    if (w.writes) memory[w.address] = w.data;
    if (w.ends && drained) ends.write(w.end);
    if (w.ends && loaded) load_ends.write(w.end);
  }
}

template <class CORE>
HWGEN_INLINE void result_memory(hls::stream<ap_uint<result_write<CORE>::width>>& writes,
                                hls::stream<ap_uint<result_write<CORE>::width>>& loads,
                                hls::stream<ap_uint<CORE::result_address>>& drain_reads,
                                hls::stream<ap_uint<CORE::result_address>>& store_reads,
                                hls::stream<ap_uint<CORE::result_bits * CORE::cols>>& drain_words,
                                hls::stream<ap_uint<CORE::result_bits * CORE::cols>>& store_words,
                                hls::stream<ap_uint<done::width>>& ends, hls::stream<ap_uint<done::width>>& load_ends) {
  no_reader<CORE> none;
  serve_results<CORE>(writes, loads, drain_reads, none, store_reads, drain_words, none, store_words, ends, load_ends);
}
// With float lanes, whose sums begin with what they read; they come after the drain.
template <class CORE>
HWGEN_INLINE void result_memory(hls::stream<ap_uint<result_write<CORE>::width>>& writes,
                                hls::stream<ap_uint<result_write<CORE>::width>>& loads,
                                hls::stream<ap_uint<CORE::result_address>>& drain_reads,
                                hls::stream<ap_uint<CORE::result_address>>& store_reads,
                                hls::stream<ap_uint<CORE::result_address>>& addend_reads,
                                hls::stream<ap_uint<CORE::result_bits * CORE::cols>>& drain_words,
                                hls::stream<ap_uint<CORE::result_bits * CORE::cols>>& store_words,
                                hls::stream<ap_uint<done::width>>& ends, hls::stream<ap_uint<done::width>>& load_ends,
                                hls::stream<ap_uint<CORE::result_bits * CORE::cols>>& addend_words) {
  serve_results<CORE>(writes, loads, drain_reads, addend_reads, store_reads, drain_words, addend_words, store_words,
                      ends, load_ends);
}

}  // namespace trainer
}  // namespace hwgen
