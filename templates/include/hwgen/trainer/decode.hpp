// The check of commands: what is wrong with one, and which memory halves it holds while it runs.
//
// Nothing has started when a command is refused here, so a refused command changes no memory. Checks go in the order of
// the codes: operation, widths, shape, addresses.
#pragma once

#include <hls_stream.h>

#include "hwgen/trainer/messages.hpp"

namespace hwgen {
namespace trainer {

// The halves of a memory of WORDS words, a power of two, that lie between two addresses, as two bits.
template <int WORDS>
HWGEN_INLINE ap_uint<2> halves(ap_uint<32> from, ap_uint<32> to) {
  constexpr int top = bits_for(WORDS - 1) - 1;
  const ap_uint<1> low = from >> top;
  const ap_uint<1> high = to >> top;
  return ap_uint<2>(!low) | (ap_uint<2>(high) << 1);
}

struct verdict {
  code_t code;
  mask_t holds;
};

HWGEN_INLINE verdict judged(bool width, bool shape, bool address, mask_t holds) {
  verdict v;
  v.code = !width ? code::width : !shape ? code::shape : !address ? code::address : code::ok;
  v.holds = holds;
  return v;
}

// How far the terms of an address reach: index * stride for 0 <= index < count.
HWGEN_INLINE void extend(ap_uint<12> count, ap_int<16> stride, ap_int<32>& low, ap_int<32>& high) {
  const ap_int<32> reach = ap_int<32>(ap_uint<12>(count - 1)) * stride;
  if (stride < 0) {
    low += reach;
  } else {
    high += reach;
  }
}

// Whether an exponent can be kept: it lies in the range of exponent_bits.
template <class CORE>
HWGEN_INLINE bool exponent_fits(ap_int<16> e) {
  return e >= -(1 << (CORE::exponent_bits - 1)) && e < (1 << (CORE::exponent_bits - 1));
}

template <class CORE>
HWGEN_INLINE bool width_fits(ap_uint<5> width) {
  return width >= CORE::least_width && width <= CORE::most_width;
}

// Digits of an element: of `width` bits, or of an fp32 number.
template <class CORE>
HWGEN_INLINE ap_uint<6> planes_of(ap_uint<5> width, ap_uint<1> floats) {
  const ap_uint<6> digits = (width + (CORE::digit - 1)) / CORE::digit;
  return CORE::float_lanes != 0 && floats ? ap_uint<6>(CORE::float_planes) : digits;
}

// Whether the core has the width of a command's elements.
template <class CORE>
HWGEN_INLINE bool elements_fit(ap_uint<5> width, ap_uint<1> floats) {
  return floats ? CORE::float_lanes != 0 : width_fits<CORE>(width);
}

template <class CORE, class COMMANDS>
HWGEN_INLINE verdict check_fetch(ap_uint<command_bits> word) {
  const typename COMMANDS::fetch c = COMMANDS::fetch::of(word);
  const ap_uint<18> end = ap_uint<18>(c.base) + c.words;
  const ap_uint<2> used = halves<CORE::scratch_words>(c.base, ap_uint<18>(end - 1));
  const bool rounds = c.container == 2;
  const bool keeps = c.container == 3;
  const bool known = !keeps || (CORE::float_lanes != 0 && !ap_uint<1>(c.words));
  const bool plain = c.width == 0 && c.exponent == 0 && !c.take && !c.measure;
  return judged(!rounds || width_fits<CORE>(c.width),
                c.words != 0 && known && (rounds ? c.measure || c.take || exponent_fits<CORE>(c.exponent) : plain),
                c.measure || end <= CORE::scratch_words,
                c.measure ? mask_t(0) : mask_t(mask_t(used) << resource::scratch));
}

template <class CORE, class COMMANDS>
HWGEN_INLINE verdict check_fill(ap_uint<command_bits> word) {
  const typename COMMANDS::fill c = COMMANDS::fill::of(word);
  const ap_uint<36> rows = ap_uint<24>(c.n_b * c.n_y) * c.n_x;
  const ap_uint<36> chunks = (rows + (CORE::lanes - 1)) / CORE::lanes;
  const ap_uint<22> groups = ap_uint<12>(c.n_ky * c.n_kx) * c.n_g;
  const bool loops = c.n_b != 0 && c.n_y != 0 && c.n_x != 0 && c.n_ky != 0 && c.n_kx != 0 && c.n_g != 0;
  const bool inside = c.limit_y != 0 && c.limit_x != 0;
  const bool fits = c.transpose ? chunks == c.kgs : groups == c.kgs;

  ap_int<32> low = c.source;
  ap_int<32> high = c.source;
  extend(c.n_b, c.s_b, low, high);
  extend(c.limit_y, c.s_y, low, high);
  extend(c.limit_x, c.s_x, low, high);
  high += c.n_g - 1;
  if (CORE::float_lanes != 0 && c.floats) high += c.n_g;
  const bool read = low >= 0 && high < CORE::scratch_words;

  // Blocks of `lanes` operand rows; as many tiles of the array.
  const ap_uint<36> blocks = c.transpose ? ap_uint<36>(groups) : chunks;
  const ap_uint<6> planes = planes_of<CORE>(c.width, c.floats);
  const ap_uint<42> tiles =
      c.target ? ap_uint<42>(blocks * (CORE::lanes / CORE::cols)) : ap_uint<42>(blocks * (CORE::lanes / CORE::rows));
  const ap_uint<64> end = ap_uint<64>(tiles * c.kgs) * planes + c.dest;
  const bool written = end <= (c.target ? ap_uint<32>(CORE::words_b) : ap_uint<32>(CORE::words_a));

  const ap_uint<2> from = halves<CORE::scratch_words>(ap_uint<32>(low), ap_uint<32>(high));
  const ap_uint<2> to_a = halves<CORE::words_a>(c.dest, ap_uint<64>(end - 1));
  const ap_uint<2> to_b = halves<CORE::words_b>(c.dest, ap_uint<64>(end - 1));
  const mask_t target = c.target ? mask_t(mask_t(to_b) << resource::b) : mask_t(mask_t(to_a) << resource::a);
  return judged(elements_fit<CORE>(c.width, c.floats), loops && inside && c.step != 0 && fits, read && written,
                (mask_t(from) << resource::scratch) | target);
}

template <class CORE, class COMMANDS>
HWGEN_INLINE verdict check_gemm(ap_uint<command_bits> word) {
  const typename COMMANDS::gemm c = COMMANDS::gemm::of(word);
  const ap_uint<6> planes_a = planes_of<CORE>(c.width_a, c.floats);
  const ap_uint<6> planes_b = planes_of<CORE>(c.width_b, c.floats);
  const bool width = elements_fit<CORE>(c.width_a, c.floats) && elements_fit<CORE>(c.width_b, c.floats);
  const ap_uint<32> end_a = ap_uint<22>(c.tiles_m * c.kgs) * planes_a + c.a;
  const ap_uint<32> end_b = ap_uint<22>(c.tiles_n * c.kgs) * planes_b + c.b;
  const ap_uint<32> rows = c.tiles_m * CORE::rows;
  const ap_uint<48> end_c = ap_uint<48>(ap_uint<32>(rows - 1) * c.pitch) + c.c + c.tiles_n;
  const bool shape =
      c.tiles_m != 0 && c.tiles_n != 0 && c.kgs != 0 && c.kgs <= CORE::most_groups && c.pitch >= c.tiles_n;
  const bool address = end_a <= CORE::words_a && end_b <= CORE::words_b && end_c <= CORE::result_words;
  const ap_uint<2> a = halves<CORE::words_a>(c.a, ap_uint<32>(end_a - 1));
  const ap_uint<2> b = halves<CORE::words_b>(c.b, ap_uint<32>(end_b - 1));
  const ap_uint<2> r = halves<CORE::result_words>(c.c, ap_uint<48>(end_c - 1));
  return judged(width, shape, address,
                (mask_t(a) << resource::a) | (mask_t(b) << resource::b) | (mask_t(r) << resource::c));
}

// A region of result memory: rows of words, `pitch` apart.
template <class CORE>
HWGEN_INLINE verdict check_region(bool width, bool shape, bool address, ap_uint<16> at, ap_uint<16> rows,
                                  ap_uint<12> words, ap_uint<12> pitch) {
  const ap_uint<48> end = ap_uint<48>(ap_uint<16>(rows - 1) * pitch) + at + words;
  const ap_uint<2> used = halves<CORE::result_words>(at, ap_uint<48>(end - 1));
  return judged(width, shape && rows != 0 && words != 0 && pitch >= words, address && end <= CORE::result_words,
                mask_t(used) << resource::c);
}

template <class CORE, class COMMANDS>
HWGEN_INLINE verdict check_store(ap_uint<command_bits> word) {
  const typename COMMANDS::store c = COMMANDS::store::of(word);
  const bool rounds = c.mode == store_mode::integers || c.mode == store_mode::measure;
  const bool contained = c.mode != store_mode::integers || c.size || c.width <= 8;
  const bool shape = c.mode <= store_mode::measure && contained && !(c.apply_mask && c.save_mask) &&
                     (c.mode != store_mode::integers || c.take || exponent_fits<CORE>(c.exponent));
  const ap_uint<48> mask_end = ap_uint<48>(c.rows * c.words) + c.mask;
  const bool masks = !(c.apply_mask || c.save_mask) || mask_end <= CORE::mask_words;
  const bool biases = !c.bias || ap_uint<14>(c.bias_at) + c.words <= CORE::bias_words;
  return check_region<CORE>(!rounds || width_fits<CORE>(c.width), shape, masks && biases, c.c, c.rows, c.words,
                            c.pitch);
}

template <class CORE, class COMMANDS>
HWGEN_INLINE verdict check_load(ap_uint<command_bits> word) {
  const typename COMMANDS::load c = COMMANDS::load::of(word);
  return check_region<CORE>(true, true, true, c.c, c.rows, c.words, c.pitch);
}

// A norm has its region and its exponent where an update has them.
template <class CORE, class COMMANDS>
HWGEN_INLINE verdict check_update(ap_uint<command_bits> word) {
  const typename COMMANDS::update c = COMMANDS::update::of(word);
  const bool floats = c.floats && ap_uint<8>(word) == operation::update;
  return check_region<CORE>(!floats || CORE::float_lanes != 0, floats || exponent_fits<CORE>(c.exponent), true, c.c,
                            c.rows, c.words, c.pitch);
}

template <class CORE, class COMMANDS>
HWGEN_INLINE verdict check_bias(ap_uint<command_bits> word) {
  const typename COMMANDS::bias c = COMMANDS::bias::of(word);
  return check_region<CORE>(true, true, ap_uint<10>(c.dest) + c.words <= CORE::bias_words, c.c, 1, c.words, c.words);
}

// `COMMANDS` knows where the fields of commands are.
template <class CORE, class COMMANDS>
HWGEN_INLINE void decode(hls::stream<ap_uint<command_bits>>& commands, hls::stream<ap_uint<checked::width>>& results) {
  const ap_uint<command_bits> word = commands.read();
  const ap_uint<8> opcode = word;
  verdict v = judged(true, true, true, 0);
  if (opcode == operation::fetch) {
    v = check_fetch<CORE, COMMANDS>(word);
  } else if (opcode == operation::fill) {
    v = check_fill<CORE, COMMANDS>(word);
  } else if (opcode == operation::gemm) {
    v = check_gemm<CORE, COMMANDS>(word);
  } else if (opcode == operation::store) {
    v = check_store<CORE, COMMANDS>(word);
  } else if (opcode == operation::load) {
    v = check_load<CORE, COMMANDS>(word);
  } else if (opcode == operation::bias) {
    v = check_bias<CORE, COMMANDS>(word);
  } else if (opcode == operation::update || opcode == operation::norm) {
    v = check_update<CORE, COMMANDS>(word);
  } else if (opcode == operation::counters) {
    if (COMMANDS::counters::of(word).select > CORE::last_counter) v.code = code::shape;
  } else if (opcode != operation::nop) {
    v.code = code::opcode;
  }
  checked c;
  c.command = word;
  c.code = v.code;
  c.holds = v.code == code::ok ? v.holds : mask_t(0);
  results.write(c.word());
}

}  // namespace trainer
}  // namespace hwgen
