// The multiply stage: a product of two operands in digit planes, tile after tile.
//
// `multiply` walks the loops and asks both operand memories for a word in every clock; the memories answer to the
// array. A tile takes one clock for each k-group and each pair of digits. Pairs go by antidiagonals from the most
// significant one, all k-groups for one pair after the other, so that the array only ever shifts its sums by one digit.
// For the float lanes it asks for all digits of a k-group once for each element of the group, which takes its own out.
// A decomposable array multiplies elements whole: it takes as many clocks, for one k-group after the other.
#pragma once

#include <hls_stream.h>

#include "hwgen/trainer/memory.hpp"

namespace hwgen {
namespace trainer {

// What the array must know of the words of a clock. They travel through the memory of A. Words for the float lanes are
// marked as both the first of a tile and the first of an antidiagonal, which no others are; of them `top_a` says that
// sums begin and `top_b` that they begin with what is in result memory. For a decomposable array, whose sums never
// move, three of them say what the words hold and which part of it is meant.
struct marks {
  static constexpr int width = 5;
  ap_uint<1> first;  // of a tile: the sums begin
  ap_uint<1> shift;  // first of an antidiagonal: the sums move up one digit
  ap_uint<1> last;   // of a tile
  ap_uint<1> top_a;  // the digit of A holds the sign
  ap_uint<1> top_b;

  HWGEN_INLINE ap_uint<width> word() const {
    return fields<width>::none().put(first).put(shift).put(last).put(top_a).put(top_b).word;
  }
  static HWGEN_INLINE marks of(ap_uint<width> word) {
    marks m;
    fields<width>::of(word).take(m.first).take(m.shift).take(m.last).take(m.top_a).take(m.top_b);
    return m;
  }
  HWGEN_INLINE bool floats() const { return first && shift; }
  // Of a decomposable array: elements of A have two digits; of B; the words' second half is multiplied.
  HWGEN_INLINE bool pairs_a() const { return top_a; }
  HWGEN_INLINE bool pairs_b() const { return top_b; }
  HWGEN_INLINE bool second() const { return shift; }
};

// A clock of a decomposable array in the one, two or four of a k-group. A word of elements of two digits has half of
// them. The other operand's word is used half by half, and words of pairs of both are.
struct split_step {
  ap_uint<1> second;            // the second half is multiplied
  ap_uint<1> moves_a, moves_b;  // on to the next word

  static HWGEN_INLINE split_step at(ap_uint<2> clock, ap_uint<1> pairs_a, ap_uint<1> pairs_b) {
    const ap_uint<1> low = clock;
    const ap_uint<1> ends_group = (low || !(pairs_a || pairs_b)) && (clock[1] || !(pairs_a && pairs_b));
    split_step s;
    s.second = low && (pairs_a || pairs_b);
    s.moves_a = ends_group || (pairs_a && (low || !pairs_b));
    s.moves_b = ends_group || (pairs_b && (low || !pairs_a));
    return s;
  }
};

// Where the results of a tile go.
template <class CORE>
struct tile_place {
  static constexpr int width = 2 * CORE::result_address + 2 + ticket::width + 32;
  ap_uint<CORE::result_address> address;  // of its first row
  ap_uint<CORE::result_address> pitch;    // to the next row
  ap_uint<1> accumulates;
  ap_uint<1> ends;
  ap_uint<ticket::width> whose;
  steps_t steps;

  HWGEN_INLINE ap_uint<width> word() const {
    return fields<width>::none().put(address).put(pitch).put(accumulates).put(ends).put(whose).put(steps).word;
  }
  static HWGEN_INLINE tile_place of(ap_uint<width> word) {
    tile_place t;
    fields<width>::of(word).take(t.address).take(t.pitch).take(t.accumulates).take(t.ends).take(t.whose).take(t.steps);
    return t;
  }
};

// Where the rows lie that the sums of a tile of fp32 begin with.
template <class CORE>
struct addend_place {
  static constexpr int width = 2 * CORE::result_address;
  ap_uint<CORE::result_address> address;  // of its first row
  ap_uint<CORE::result_address> pitch;    // to the next row

  HWGEN_INLINE ap_uint<width> word() const { return fields<width>::none().put(address).put(pitch).word; }
  static HWGEN_INLINE addend_place of(ap_uint<width> word) {
    addend_place p;
    fields<width>::of(word).take(p.address).take(p.pitch);
    return p;
  }
};

// Stands for the stream of such places on a core without float lanes.
template <class CORE>
struct no_addends {
  HWGEN_INLINE void write(ap_uint<addend_place<CORE>::width>) {}
};

template <class CORE, class COMMANDS, class ADDENDS>
HWGEN_INLINE void walk_products(hls::stream<ap_uint<order::width>>& orders,
                                hls::stream<ap_uint<CORE::plane_address + marks::width>>& reads_a,
                                hls::stream<ap_uint<CORE::plane_address>>& reads_b,
                                hls::stream<ap_uint<tile_place<CORE>::width>>& places, ADDENDS& addends) {
  using plane_at = ap_uint<CORE::plane_address>;
  using result_at = ap_uint<CORE::result_address>;
  using digit_t = ap_uint<bits_for(CORE::planes - 1)>;
  using planes_t = ap_uint<bits_for(CORE::planes)>;
  static ap_uint<1> active = 0;
  static ap_uint<ticket::width> whose = 0;
  static planes_t planes_a = 0, planes_b = 0;
  using clock_t = ap_uint<CORE::splits ? 14 : 12>;
  static clock_t groups = 0;  // that one word of either operand is asked for, in a row
  static ap_uint<10> tiles_m = 0, tiles_n = 0;
  static plane_at tile_a = 0, tile_b = 0;  // words of a tile of A, of B
  static plane_at first_b = 0;
  static result_at pitch = 0, row_of_tiles = 0;
  static ap_uint<1> accumulates = 0;
  static ap_uint<1> floats = 0;
  static ap_uint<1> pairs_a = 0, pairs_b = 0;  // of a decomposable array: two digits an element

  static ap_uint<10> m = 0, n = 0;
  static clock_t group = 0;
  static digit_t digit_a = 0, digit_b = 0;
  static plane_at row_a = 0, col_b = 0;  // where the tile's operands begin
  static plane_at at_a = 0, at_b = 0;
  static result_at row_c = 0;
  static ap_uint<1> starts_tile = 0, starts_diagonal = 0;
  static ap_uint<bits_for(CORE::lanes - 1)> element = 0;  // of fp32: of a k-group
  static ap_uint<12> kgs = 0, kgs_left = 0;
  static plane_at group_a = 0, group_b = 0;  // where the k-group begins
  static steps_t steps = 0;

  if (!active) {
    const order o = order::of(orders.read());
    const typename COMMANDS::gemm c = COMMANDS::gemm::of(o.command);
    whose = o.whose;
    floats = CORE::float_lanes != 0 && c.floats;
    const planes_t digits_a = (c.width_a + (CORE::digit - 1)) / CORE::digit;
    const planes_t digits_b = (c.width_b + (CORE::digit - 1)) / CORE::digit;
    pairs_a = CORE::splits && !floats && digits_a != 1;
    pairs_b = CORE::splits && !floats && digits_b != 1;
    // The digits of an fp32 number are walked through as k-groups of one digit are, and so are parts of whole elements.
    planes_a = floats || CORE::splits ? planes_t(1) : digits_a;
    planes_b = floats || CORE::splits ? planes_t(1) : digits_b;
    groups = floats ? clock_t(CORE::float_planes) : clock_t(c.kgs);
    if (CORE::splits && !floats) groups <<= ap_uint<2>(pairs_a) + pairs_b;
    tiles_m = c.tiles_m;
    tiles_n = c.tiles_n;
    tile_a = plane_at(c.kgs) * (floats ? plane_at(CORE::float_planes) : plane_at(digits_a));
    tile_b = plane_at(c.kgs) * (floats ? plane_at(CORE::float_planes) : plane_at(digits_b));
    first_b = c.b;
    pitch = c.pitch;
    row_of_tiles = result_at(c.pitch) * result_at(CORE::rows);
    accumulates = c.accumulate;
    m = 0;
    n = 0;
    group = 0;
    digit_a = planes_a - 1;
    digit_b = planes_b - 1;
    row_a = c.a;
    col_b = c.b;
    at_a = row_a + digit_a;
    at_b = col_b + digit_b;
    row_c = c.c;
    starts_tile = 1;
    starts_diagonal = 0;
    element = 0;
    kgs = c.kgs;
    kgs_left = kgs;
    group_a = c.a;
    group_b = c.b;
    steps = 0;
    active = 1;
    return;
  }

  const bool group_wraps = group + 1 == groups;
  const bool elements_wrap = group_wraps && element == CORE::lanes - 1;
  if (!floats) ++steps;
  if (floats && group_wraps) steps += CORE::float_steps;
  // Along an antidiagonal, A's digit falls and B's rises; the next one begins with A's highest digit.
  const bool ends_diagonal = digit_a == 0 || digit_b + 1 == planes_b;
  const bool ends_tile = group_wraps && digit_a == 0 && digit_b == 0 && (!floats || (elements_wrap && kgs_left == 1));
  const bool n_wraps = ends_tile && n + 1 == tiles_n;
  const bool finished = n_wraps && m + 1 == tiles_m;

  const split_step split = split_step::at(group, pairs_a, pairs_b);
  marks mark;
  mark.first = floats || starts_tile;
  mark.shift = floats || (CORE::splits ? split.second : starts_diagonal);
  mark.last = ends_tile;
  mark.top_a = floats ? starts_tile : CORE::splits ? pairs_a : ap_uint<1>(digit_a + 1 == planes_a);
  mark.top_b = floats ? accumulates : CORE::splits ? pairs_b : ap_uint<1>(digit_b + 1 == planes_b);
  reads_a.write((ap_uint<CORE::plane_address + marks::width>(mark.word()) << CORE::plane_address) | at_a);
  reads_b.write(at_b);
  if (ends_tile) {
    tile_place<CORE> place;
    place.address = row_c + n;
    place.pitch = pitch;
    place.accumulates = accumulates && !floats;
    place.ends = finished;
    place.whose = whose;
    place.steps = steps;
    places.write(place.word());
  }

  if (floats && accumulates && starts_tile && group == 0) {
    addend_place<CORE> addend;
    addend.address = row_c + n;
    addend.pitch = pitch;
    addends.write(addend.word());
  }

  if (!group_wraps) {
    ++group;
    at_a += CORE::splits && !floats ? planes_t(split.moves_a) : planes_a;
    at_b += CORE::splits && !floats ? planes_t(split.moves_b) : planes_b;
    starts_tile = floats && starts_tile;
    starts_diagonal = 0;
  } else {
    group = 0;
    starts_tile = ends_tile;
    starts_diagonal = !ends_tile && ends_diagonal;
    if (floats) {
      ++element;
      if (elements_wrap) {
        --kgs_left;
        group_a += CORE::float_planes;
        group_b += CORE::float_planes;
      }
    }
    if (ends_tile) {
      digit_a = planes_a - 1;
      digit_b = planes_b - 1;
      n = n_wraps ? ap_uint<10>(0) : ap_uint<10>(n + 1);
      col_b = n_wraps ? first_b : plane_at(col_b + tile_b);
      if (n_wraps) {
        ++m;
        row_a += tile_a;
        row_c += row_of_tiles;
      }
    } else if (!floats && ends_diagonal) {
      // The pairs of the next antidiagonal sum to one less. Its A digit is the highest there is.
      const ap_uint<6> sum = ap_uint<6>(digit_a) + digit_b - 1;
      const ap_uint<6> highest = sum < ap_uint<6>(planes_a - 1) ? sum : ap_uint<6>(planes_a - 1);
      digit_a = highest;
      digit_b = sum - highest;
    } else if (!floats) {
      --digit_a;
      ++digit_b;
    }
    if (ends_tile) {
      kgs_left = kgs;
      group_a = row_a;
      group_b = col_b;
    }
    at_a = floats ? group_a : plane_at(row_a + digit_a);
    at_b = floats ? group_b : plane_at(col_b + digit_b);
  }
  if (finished) active = 0;
}

template <class CORE, class COMMANDS>
HWGEN_INLINE void multiply(hls::stream<ap_uint<order::width>>& orders,
                           hls::stream<ap_uint<CORE::plane_address + marks::width>>& reads_a,
                           hls::stream<ap_uint<CORE::plane_address>>& reads_b,
                           hls::stream<ap_uint<tile_place<CORE>::width>>& places) {
  no_addends<CORE> none;
  walk_products<CORE, COMMANDS>(orders, reads_a, reads_b, places, none);
}
template <class CORE, class COMMANDS>
HWGEN_INLINE void multiply(hls::stream<ap_uint<order::width>>& orders,
                           hls::stream<ap_uint<CORE::plane_address + marks::width>>& reads_a,
                           hls::stream<ap_uint<CORE::plane_address>>& reads_b,
                           hls::stream<ap_uint<tile_place<CORE>::width>>& places,
                           hls::stream<ap_uint<addend_place<CORE>::width>>& addends) {
  walk_products<CORE, COMMANDS>(orders, reads_a, reads_b, places, addends);
}

}  // namespace trainer
}  // namespace hwgen
