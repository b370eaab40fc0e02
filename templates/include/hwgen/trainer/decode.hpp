// The check of commands: what is wrong with one, and which memory halves it holds while it runs.
//
// Nothing has started when a command is refused here, so a refused command changes no memory. Checks go in the order of
// the codes: operation, widths, shape, addresses.
//
// Every command is of one operation only, so all operations share the multipliers: the opcode chooses what is
// multiplied. A command touches a box of words of scratch or result memory, and up to two blocks of words without gaps.
// What a check finds counts only if those before it have found nothing: an address means nothing if the shape is
// refused.
#pragma once

#include <hls_stream.h>

#include "hwgen/trainer/bounds.hpp"
#include "hwgen/trainer/messages.hpp"

namespace hwgen {
namespace trainer {

// Bits that tell whether something is beyond a memory.
template <class CORE>
struct judging {
  static constexpr int scratch = bits_for(CORE::scratch_words - 1);
  static constexpr int a = bits_for(CORE::words_a - 1);
  static constexpr int b = bits_for(CORE::words_b - 1);
  static constexpr int results = bits_for(CORE::result_words - 1);
  static constexpr int mask = bits_for(CORE::mask_words - 1);
  static constexpr int box = larger(scratch, results);
  // A block may fill its memory: 2^bits is not beyond it. Of mask memory it has no more words than the box of results
  // beside it, which is judged, too.
  static constexpr int block = larger(larger(a, b), smaller(results, mask)) + 1;
  // Of a fill: its k-groups, which are compared with a number of 12 bits and are a factor of its block; its rows, of
  // which `lanes` are a chunk, and of chunks the same is true.
  static constexpr int groups = larger(12, block);
  static constexpr int rows = groups + bits_for(CORE::lanes - 1);
  using planes_t = ap_uint<bits_for(CORE::float_lanes != 0 ? CORE::float_planes : CORE::planes)>;
};

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
HWGEN_INLINE typename judging<CORE>::planes_t planes_of(ap_uint<5> width, ap_uint<1> floats) {
  const ap_uint<6> digits = (width + (CORE::digit - 1)) / CORE::digit;
  return CORE::float_lanes != 0 && floats ? ap_uint<6>(CORE::float_planes) : digits;
}

// Whether the core has the width of a command's elements.
template <class CORE>
HWGEN_INLINE bool elements_fit(ap_uint<5> width, ap_uint<1> floats) {
  return floats ? CORE::float_lanes != 0 : width_fits<CORE>(width);
}

template <class CORE, class COMMANDS>
HWGEN_INLINE bool width_legal(ap_uint<command_bits> word) {
  const ap_uint<8> opcode = word;
  if (opcode == operation::fetch) {
    const typename COMMANDS::fetch c = COMMANDS::fetch::of(word);
    return c.container != 2 || width_fits<CORE>(c.width);
  }
  if (opcode == operation::fill) {
    const typename COMMANDS::fill c = COMMANDS::fill::of(word);
    return elements_fit<CORE>(c.width, c.floats);
  }
  if (opcode == operation::gemm) {
    const typename COMMANDS::gemm c = COMMANDS::gemm::of(word);
    return elements_fit<CORE>(c.width_a, c.floats) && elements_fit<CORE>(c.width_b, c.floats);
  }
  if (opcode == operation::store) {
    const typename COMMANDS::store c = COMMANDS::store::of(word);
    return !(c.mode == store_mode::integers || c.mode == store_mode::measure) || width_fits<CORE>(c.width);
  }
  if (opcode == operation::update) return !COMMANDS::update::of(word).floats || CORE::float_lanes != 0;
  return true;
}

// What there is to a shape besides `region`'s.
template <class CORE, class COMMANDS>
HWGEN_INLINE bool shape_legal(ap_uint<command_bits> word) {
  const ap_uint<8> opcode = word;
  if (opcode == operation::fetch) {
    const typename COMMANDS::fetch c = COMMANDS::fetch::of(word);
    const bool known = c.container != 3 || (CORE::float_lanes != 0 && !ap_uint<1>(c.words));
    const bool plain = c.width == 0 && c.exponent == 0 && !c.take && !c.measure;
    return known && (c.container == 2 ? c.measure || c.take || exponent_fits<CORE>(c.exponent) : plain);
  }
  if (opcode == operation::fill) {
    const typename COMMANDS::fill c = COMMANDS::fill::of(word);
    const bool loops = c.n_b != 0 && c.n_y != 0 && c.n_x != 0 && c.n_ky != 0 && c.n_kx != 0;
    return loops && c.limit_x != 0 && c.step != 0;
  }
  if (opcode == operation::gemm) {
    const typename COMMANDS::gemm c = COMMANDS::gemm::of(word);
    return c.kgs != 0 && c.kgs <= CORE::most_groups;
  }
  if (opcode == operation::store) {
    const typename COMMANDS::store c = COMMANDS::store::of(word);
    const bool contained = c.mode != store_mode::integers || c.size || c.width <= 8;
    return c.mode <= store_mode::measure && contained && !(c.apply_mask && c.save_mask) &&
           (c.mode != store_mode::integers || c.take || exponent_fits<CORE>(c.exponent));
  }
  if (opcode == operation::update || opcode == operation::norm) {
    // A norm has its exponent where an update has it.
    const typename COMMANDS::update c = COMMANDS::update::of(word);
    return (c.floats && opcode == operation::update) || exponent_fits<CORE>(c.exponent);
  }
  if (opcode == operation::counters) return COMMANDS::counters::of(word).select <= CORE::last_counter;
  return true;
}

// Rows of `words` words, `pitch` apart: what a command reads of scratch memory, or reads or writes of result memory.
struct region {
  ap_uint<16> at;
  ap_uint<16> words;
  ap_uint<16> rows;
  ap_int<16> pitch;
};

template <class CORE, class COMMANDS>
HWGEN_INLINE region region_of(ap_uint<command_bits> word) {
  const ap_uint<8> opcode = word;
  // A load, an update and a norm have their regions where a store has it. The pitch of a single row means nothing.
  const typename COMMANDS::store s = COMMANDS::store::of(word);
  region r;
  r.at = s.c;
  r.words = s.words;
  r.rows = s.rows;
  r.pitch = s.pitch;
  if (opcode == operation::fetch) {
    const typename COMMANDS::fetch c = COMMANDS::fetch::of(word);
    r.at = c.base;
    r.words = c.words;
    r.rows = 1;
  } else if (opcode == operation::fill) {
    const typename COMMANDS::fill c = COMMANDS::fill::of(word);
    r.at = c.source;
    r.words = c.n_g;
    if (CORE::float_lanes != 0 && c.floats) r.words <<= 1;
    r.rows = c.limit_y;
    r.pitch = c.s_y;
  } else if (opcode == operation::gemm) {
    const typename COMMANDS::gemm c = COMMANDS::gemm::of(word);
    r.at = c.c;
    r.words = c.tiles_n;
    r.rows = c.tiles_m * CORE::rows;
    r.pitch = c.pitch;
  } else if (opcode == operation::bias) {
    const typename COMMANDS::bias c = COMMANDS::bias::of(word);
    r.at = c.c;
    r.words = c.words;
    r.rows = 1;
  }
  return r;
}

// The words of a command's region; a fill reads many, in planes and again in these.
template <class CORE, class COMMANDS>
HWGEN_INLINE span box_of(const region& r, ap_uint<command_bits> word) {
  constexpr int bits = judging<CORE>::box;
  const typename COMMANDS::fill c = COMMANDS::fill::of(word);
  const bool fills = ap_uint<8>(word) == operation::fill;
  const reach<bits> terms[3] = {reach<bits>::of(r.rows, r.pitch), reach<bits>::of(c.n_b, c.s_b),
                                reach<bits>::of(c.limit_x, c.s_x)};
  bool beyond = (r.at >> bits) != 0 || (r.words >> (bits + 1)) != 0;
  ap_int<bits + 5> low = ap_uint<bits>(r.at);
  ap_uint<bits + 4> last = ap_uint<bits>(r.at) + ap_uint<bits + 1>(r.words) - 1;
  for (int i = 0; i < 3; ++i) {
#pragma HLS unroll
    const bool counts = i == 0 || fills;
    const bool down = terms[i].by < 0;
    if (counts && terms[i].beyond) beyond = true;
    low += counts && down ? terms[i].by : ap_int<bits + 2>(0);
    last += counts && !down ? ap_uint<bits + 1>(terms[i].by) : ap_uint<bits + 1>(0);
  }
  span s;
  s.low = ap_uint<bits>(low);
  s.last = last;
  s.beyond = beyond || low < 0;
  return s;
}

// So many words from an address on.
template <int BITS>
HWGEN_INLINE span words_from(ap_uint<16> at, bounded<BITS> words) {
  span s;
  s.low = at;
  s.last = ap_uint<larger(16, BITS) + 1>(at + words.value - 1);
  s.beyond = words.beyond;
  return s;
}

// What a command touches, and of a fill whether its k-groups are those of its loops.
struct touched {
  span box;
  span first;   // digit planes of an operand; mask words of a store
  span second;  // digit planes of operand B of a gemm
  bool fits;
};

template <class CORE, class COMMANDS>
HWGEN_INLINE touched touched_by(ap_uint<command_bits> word, const region& r) {
  using bits = judging<CORE>;
  const typename COMMANDS::fill fill = COMMANDS::fill::of(word);
  const typename COMMANDS::gemm gemm = COMMANDS::gemm::of(word);
  const typename COMMANDS::store store = COMMANDS::store::of(word);
  const bool fills = ap_uint<8>(word) == operation::fill;
  const bool stores = ap_uint<8>(word) == operation::store;
  touched t;
  t.box = box_of<CORE, COMMANDS>(r, word);

  // The loops of a fill. The last product is that of a gemm's operand B at other times.
  const bounded<bits::rows> rows = product<bits::rows>(product<bits::rows>(fill.n_b, fill.n_y), fill.n_x);
  const ap_uint<bits::groups + 1> chunks = (rows.value + (CORE::lanes - 1)) / CORE::lanes;
  const bounded<bits::groups> groups =
      product<bits::groups>(fills ? ap_uint<12>(fill.n_ky * fill.n_kx) : gemm.kgs, fills ? fill.n_g : gemm.tiles_n);
  t.fits = fill.transpose ? !rows.beyond && chunks == fill.kgs : !groups.beyond && groups.value == fill.kgs;
  t.second = words_from(gemm.b, product<bits::block>(groups, planes_of<CORE>(gemm.width_b, gemm.floats)));

  // If a fill fits, kgs is the number of one of both, and there are `lanes` rows of an operand for each of the other.
  const ap_uint<bits::groups + 1> blocks = fill.transpose ? ap_uint<bits::groups + 1>(groups.value) : chunks;
  const bool many_blocks = fill.transpose ? groups.beyond : rows.beyond;
  using count_t = ap_uint<bits::rows + 1>;
  const count_t tiles =
      fill.target ? count_t(blocks * (CORE::lanes / CORE::cols)) : count_t(blocks * (CORE::lanes / CORE::rows));

  const ap_uint<16> at = fills ? fill.dest : stores ? store.mask : gemm.a;
  const count_t count = fills ? tiles : stores ? count_t(store.rows) : count_t(gemm.tiles_m);
  const ap_uint<12> words = fills ? fill.kgs : stores ? store.words : gemm.kgs;
  const ap_uint<5> width = fills ? fill.width : gemm.width_a;
  const ap_uint<1> floats = fills ? fill.floats : gemm.floats;
  using planes_t = typename bits::planes_t;
  const bounded<bits::block> each = product<bits::block>(words, stores ? planes_t(1) : planes_of<CORE>(width, floats));
  bounded<bits::block> first = product<bits::block>(each, count);
  if (fills && many_blocks) first.beyond = true;
  t.first = words_from(at, first);
  return t;
}

// Whether all that a command touches lies in the memories.
template <class CORE, class COMMANDS>
HWGEN_INLINE bool address_legal(ap_uint<command_bits> word, const region& r, const touched& t) {
  using bits = judging<CORE>;
  const ap_uint<8> opcode = word;
  const typename COMMANDS::store store = COMMANDS::store::of(word);
  const ap_uint<8> bias_at = opcode == operation::bias ? COMMANDS::bias::of(word).dest : store.bias_at;
  const bool biases = bias_at + r.words <= CORE::bias_words;
  const bool results = t.box.inside(bits::results);
  if (opcode == operation::fetch) return COMMANDS::fetch::of(word).measure || t.box.inside(bits::scratch);
  if (opcode == operation::fill) {
    const bool written = COMMANDS::fill::of(word).target ? t.first.inside(bits::b) : t.first.inside(bits::a);
    return t.box.inside(bits::scratch) && written;
  }
  if (opcode == operation::gemm) return results && t.first.inside(bits::a) && t.second.inside(bits::b);
  if (opcode == operation::store) {
    const bool masks = store.apply_mask || store.save_mask;
    return results && (!store.bias || biases) && (!masks || t.first.inside(bits::mask));
  }
  return results && (opcode != operation::bias || biases);
}

template <class CORE, class COMMANDS>
HWGEN_INLINE mask_t held_by(ap_uint<command_bits> word, const touched& t) {
  using bits = judging<CORE>;
  const ap_uint<8> opcode = word;
  const mask_t scratch = mask_t(t.box.halves(bits::scratch)) << resource::scratch;
  const mask_t results = mask_t(t.box.halves(bits::results)) << resource::c;
  const mask_t to_a = mask_t(t.first.halves(bits::a)) << resource::a;
  const mask_t to_b = mask_t(t.first.halves(bits::b)) << resource::b;
  if (opcode == operation::fetch) return COMMANDS::fetch::of(word).measure ? mask_t(0) : scratch;
  if (opcode == operation::fill) return scratch | (COMMANDS::fill::of(word).target ? to_b : to_a);
  if (opcode == operation::gemm) return results | to_a | (mask_t(t.second.halves(bits::b)) << resource::b);
  return results;
}

// `COMMANDS` knows where the fields of commands are.
template <class CORE, class COMMANDS>
HWGEN_INLINE checked check(ap_uint<command_bits> word) {
  const ap_uint<8> opcode = word;
  const bool touches = opcode != operation::nop && opcode != operation::counters;
  const bool pitched = opcode != operation::fetch && opcode != operation::fill && opcode != operation::bias;

  const region r = region_of<CORE, COMMANDS>(word);
  const touched t = touched_by<CORE, COMMANDS>(word, r);
  const bool rectangle = r.words != 0 && r.rows != 0 && (!pitched || ap_uint<12>(r.pitch) >= r.words);
  const bool shape =
      shape_legal<CORE, COMMANDS>(word) && (!touches || rectangle) && (opcode != operation::fill || t.fits);
  const bool address = !touches || address_legal<CORE, COMMANDS>(word, r, t);

  checked c;
  c.command = word;
  c.code = opcode > operation::norm             ? code::opcode
           : !width_legal<CORE, COMMANDS>(word) ? code::width
           : !shape                             ? code::shape
           : !address                           ? code::address
                                                : code::ok;
  c.holds = touches && c.code == code::ok ? held_by<CORE, COMMANDS>(word, t) : mask_t(0);
  return c;
}

template <class CORE, class COMMANDS>
HWGEN_INLINE void decode(hls::stream<ap_uint<command_bits>>& commands, hls::stream<ap_uint<checked::width>>& results) {
  results.write(check<CORE, COMMANDS>(commands.read()).word());
}

}  // namespace trainer
}  // namespace hwgen
