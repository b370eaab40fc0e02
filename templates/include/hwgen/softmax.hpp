// Softmax of the frames of a stream in two passes. The first keeps the elements and sums exp(x - reference), the
// second gives exp(x - reference) times the reciprocal of the sum. Both can take a step in one activation.
//
// EXP and RECIPROCAL are function units: types x_t and y_t of operand and result, and a static function `evaluate`.
#pragma once

#include "hwgen/accumulator_step.hpp"
#include "hwgen/activation_softmax.hpp"

namespace hwgen {

// The sum of exp(x - reference) over the elements of a frame so far. The reference is one of them, and no element
// exceeds it by more than RISE, so each term is below 2.
template <class X, class EXP, int MAX>
struct softmax_sum {
  using d_t = typename EXP::x_t;
  using e_t = typename EXP::y_t;
  using format = fixed_format<e_t::width + bits_for(MAX - 1), e_t::fraction, false>;
  using word = ap_uint<format::width>;
  using term = ap_uint<e_t::width>;

  ap_uint<X::width> reference;
  word sum;
  ap_uint<1> has_nan;

  // x - reference, to nearest.
  static HWGEN_INLINE ap_uint<d_t::width> to_reference(ap_uint<X::width> x, ap_uint<X::width> reference) {
    return difference<X, d_t, mode::rne>(x, reference);
  }

  // One more element. An element that is RISE = 11/16 above the reference becomes the reference, and the sum so far
  // is scaled to it.
  HWGEN_INLINE void add(ap_uint<X::width> x, ap_uint<1> first) {
    const ap_int<d_t::width> rise = 11 << (d_t::fraction - 4);
    const term one = term(1) << e_t::fraction;
    const ap_int<d_t::width> d = to_reference(x, reference);
    const ap_uint<1> rises = d >= rise;
    const term e = EXP::evaluate(rises ? ap_uint<d_t::width>(-d) : ap_uint<d_t::width>(d));
    const word scaled = ap_uint<format::width + e_t::width>(sum * e) >> e_t::fraction;
    const word before = rises ? scaled : sum;
    sum = (first ? word(0) : before) + word((first | rises) ? one : e);
    has_nan = unpack<X>(x).is_nan | (has_nan & ~first);
    if (first | rises) reference = x;
  }
};

// What the second pass knows of a frame.
template <class X, class RECIPROCAL, int MAX>
struct softmax_frame {
  ap_uint<X::width> reference;
  ap_uint<RECIPROCAL::y_t::width> reciprocal;
  ap_uint<bits_for(MAX - 1)> last;  // place of its last element
  ap_uint<1> undefined;
  ap_uint<1> too_long;
};

// The state of both passes but for the elements, which lie in a ring of MAX, a power of two. That is enough: as long
// as the second pass has a frame it makes room in every activation, and when it has none all elements are of one frame.
template <class X, class EXP, class RECIPROCAL, int MAX, int FRAMES>
struct softmax_passes {
  static_assert((MAX & (MAX - 1)) == 0 && (FRAMES & (FRAMES - 1)) == 0, "places in rings wrap by themselves");
  using sum_t = softmax_sum<X, EXP, MAX>;
  using frame_t = softmax_frame<X, RECIPROCAL, MAX>;
  using place_t = ap_uint<bits_for(MAX - 1)>;
  using count_t = ap_uint<bits_for(MAX)>;
  using frame_place_t = ap_uint<bits_for(FRAMES - 1)>;
  using frame_count_t = ap_uint<bits_for(FRAMES)>;

  // --- first pass ---
  sum_t running;
  ap_uint<1> open;  // whether a frame has begun
  count_t length;   // its elements in the ring
  place_t start;    // where they begin

  // --- between ---
  count_t complete;  // elements of complete frames
  frame_place_t oldest;
  frame_count_t frames;  // how many are complete

  // --- second pass ---
  place_t next;  // where the next element lies
  place_t done;  // elements of the oldest frame that are done

  // Whether the second pass can take a step.
  HWGEN_INLINE bool releases() const { return frames != 0; }
  // Whether the first pass can: an element that finds the ring full of its own frame is dropped, so it needs no room.
  HWGEN_INLINE bool takes() const {
    return frames != FRAMES && (complete + length != MAX || releases() || length == MAX);
  }

  // The second pass: value, whether it is the last of its frame, whether the frame was too long, lowest first.
  template <class Y, class RULE>
  HWGEN_INLINE ap_uint<Y::width + 2> release(const ap_uint<X::width> (&element)[MAX], const frame_t (&frame)[FRAMES]) {
    const frame_t oldest_frame = frame[oldest];
    const typename sum_t::term e = EXP::evaluate(sum_t::to_reference(element[next], oldest_frame.reference));
    const ap_uint<Y::width> quotient =
        mul<typename EXP::y_t, typename RECIPROCAL::y_t, Y, RULE>(e, oldest_frame.reciprocal);
    const ap_uint<Y::width> value = oldest_frame.undefined ? nan_code<Y>(typename Y::family()) : quotient;
    const ap_uint<1> last = done == oldest_frame.last;
    done = last ? place_t(0) : place_t(done + 1);
    ++next;
    complete -= count_t(1);
    oldest += frame_place_t(last);
    frames -= frame_count_t(last);
    return (ap_uint<Y::width + 2>(oldest_frame.too_long) << (Y::width + 1)) |
           (ap_uint<Y::width + 2>(last) << Y::width) | ap_uint<Y::width + 2>(value);
  }

  // The first pass.
  HWGEN_INLINE void take(ap_uint<X::width> x, sum_control control, ap_uint<X::width> (&element)[MAX],
                         frame_t (&frame)[FRAMES]) {
    const ap_uint<1> first = clears(control) | ~open;
    running.add(x, first);
    const count_t before = first ? count_t(0) : length;
    const ap_uint<1> dropped = before == MAX;
    if (!dropped) element[place_t(start + place_t(before))] = x;
    length = before + count_t(ap_uint<1>(~dropped));
    open = ~ends(control);
    if (ends(control)) close(dropped, frame);  // once one is dropped, all that follow are
  }

  HWGEN_INLINE void close(ap_uint<1> too_long, frame_t (&frame)[FRAMES]) {
    using one_over = typename RECIPROCAL::x_t;
    using rule = rounding<mode::rne, overflow::infinity>;
    frame_t f;
    f.reference = running.reference;
    f.reciprocal = RECIPROCAL::evaluate(convert<typename sum_t::format, one_over, rule>(running.sum));
    f.last = length - count_t(1);
    f.undefined = running.has_nan | unpack<X>(running.reference).is_inf | too_long;
    f.too_long = too_long;
    frame[frame_place_t(oldest + frame_place_t(frames))] = f;
    ++frames;
    complete += length;
    start += place_t(length);
    length = 0;
  }
};

}  // namespace hwgen
