// The sequencer: hands commands to their stages in order, and answers each with a status.
//
// Commands mean what they mean one after the other. They overlap all the same: a command starts as soon as no other
// stage works on a memory half that it needs, and its stage has room. A stage finishes its commands in order, so two
// commands of one stage never disturb each other, except a product that adds to results still on their way: it waits
// for them. No command waits for a later one, so nothing can lock up.
#pragma once

#include <hls_stream.h>

#include "hwgen/trainer/messages.hpp"

namespace hwgen {
namespace trainer {

constexpr int most_outstanding = 4;  // commands of one stage; as deep are the stages' channels
constexpr int counters_per_stage = 5;

// The fetch and the store stage count the clocks in which they had nothing to do, whether they had a command or not.
// Those without one are known here; they are taken off when the next command ends.
struct stage_counters {
  ap_uint<32> busy;
  ap_uint<32> run;
  ap_uint<32> commands;
  ap_int<32> waits;  // for input
  waits_t idle;      // without a command, since one has ended

  HWGEN_INLINE ap_uint<32> waits_for_input(bool told) const {
    const ap_uint<32> all = busy - run;
    const ap_uint<32> counted = waits < 0 ? ap_int<32>(0) : waits;
    return told && counted < all ? counted : all;
  }
};

// `COMMANDS` knows where the fields of commands are.
template <class CORE, class COMMANDS>
HWGEN_INLINE void sequence(hls::stream<ap_uint<checked::width>>& commands, hls::stream<ap_uint<done::width>>& fetched,
                           hls::stream<ap_uint<done::width>>& loaded, hls::stream<ap_uint<done::width>>& filled_a,
                           hls::stream<ap_uint<done::width>>& filled_b, hls::stream<ap_uint<done::width>>& multiplied,
                           hls::stream<ap_uint<done::width>>& stored, hls::stream<ap_uint<order::width>>& fetches,
                           hls::stream<ap_uint<order::width>>& fills, hls::stream<ap_uint<order::width>>& products,
                           hls::stream<ap_uint<order::width>>& stores, hls::stream<ap_uint<status_bits>>& statuses) {
  using count_t = ap_uint<bits_for(most_outstanding)>;
  static ap_uint<1> waiting = 0;
  static ap_uint<checked::width> next = 0;
  static number_t number = 0;
  static count_t in_flight[stage::count] = {};
  static count_t holders[stage::count][resource::count] = {};
  static ap_uint<32> cycles = 0;
  static stage_counters counters[stage::count] = {};
#pragma HLS array_partition variable = in_flight complete
#pragma HLS array_partition variable = holders dim = 0 complete
#pragma HLS array_partition variable = counters complete

  // One finished command a clock.
  ap_uint<done::width> ended = 0;
  ap_uint<done::width> word;
  ap_uint<stage::count> ends = 0;
  if (multiplied.read_nb(word)) {
    ended = word;
    ends[stage::multiply] = 1;
  } else if (filled_a.read_nb(word)) {
    ended = word;
    ends[stage::fill] = 1;
  } else if (filled_b.read_nb(word)) {
    ended = word;
    ends[stage::fill] = 1;
  } else if (fetched.read_nb(word)) {
    ended = word;
    ends[stage::fetch] = 1;
  } else if (loaded.read_nb(word)) {
    ended = word;
    ends[stage::fetch] = 1;
  } else if (stored.read_nb(word)) {
    ended = word;
    ends[stage::store] = 1;
  }
  const done end = done::of(ended);
  const ticket whose = ticket::of(end.whose);

  if (!waiting) {
    ap_uint<checked::width> command;
    if (commands.read_nb(command)) {
      next = command;
      waiting = 1;
    }
  }
  const checked head = checked::of(next);
  const ap_uint<8> opcode = head.command;

  // Whether the command at the head can go, by what was in flight before this clock.
  bool clear[stage::count];
  for (int s = 0; s < stage::count; ++s) {
#pragma HLS unroll
    mask_t held = 0;
    for (int other = 0; other < stage::count; ++other) {
#pragma HLS unroll
      for (int r = 0; r < resource::count; ++r) {
#pragma HLS unroll
        if (other != s && holders[other][r] != 0) held[r] = 1;
      }
    }
    clear[s] = (held & head.holds) == 0 && in_flight[s] < most_outstanding;
  }
  // These read what a command of their own stage before them may still have on its way.
  const bool adds = COMMANDS::gemm::of(head.command).accumulate;
  const bool masks = COMMANDS::store::of(head.command).apply_mask;
  const bool good = waiting && head.code == code::ok;
  ap_uint<stage::count> starts = 0;
  starts[stage::fetch] = good && (opcode == operation::fetch || opcode == operation::load) && clear[stage::fetch];
  starts[stage::fill] = good && opcode == operation::fill && clear[stage::fill];
  starts[stage::multiply] =
      good && opcode == operation::gemm && clear[stage::multiply] && !(adds && in_flight[stage::multiply] != 0);
  // An update takes both at once: weights come by the one, gradients and what is sent by the other. So does a norm of
  // sums.
  const bool norms = opcode == operation::norm;
  const bool passes = opcode == operation::update || (norms && COMMANDS::norm::of(head.command).sums);
  const bool updates = good && passes && clear[stage::store] && in_flight[stage::fetch] < most_outstanding;
  if (updates) starts[stage::fetch] = 1;
  const bool plain = opcode == operation::store && !(masks && in_flight[stage::store] != 0);
  const bool alone = plain || opcode == operation::bias || (norms && !passes);
  starts[stage::store] = updates || (good && clear[stage::store] && alone);

  // What no stage does is answered here, in a clock in which no other status goes out.
  const bool here =
      waiting && ends == 0 && (head.code != code::ok || opcode == operation::nop || opcode == operation::counters);

  order out;
  out.command = head.command;
  ticket mine;
  mine.number = number;
  mine.holds = head.holds;
  mine.opcode = opcode;
  out.whose = mine.word();
  ticket without = mine;  // the store stage holds what an update needs
  without.holds = updates ? mask_t(0) : head.holds;
  order fetched_order = out;
  fetched_order.whose = without.word();
  if (starts[stage::fetch]) fetches.write(fetched_order.word());
  if (starts[stage::fill]) fills.write(out.word());
  if (starts[stage::multiply]) products.write(out.word());
  if (starts[stage::store]) stores.write(out.word());

  // The counter that is asked for, before this clock is counted.
  const typename COMMANDS::counters asked = COMMANDS::counters::of(head.command);
  ap_uint<64> counter = 0;
  if (asked.select == 0) counter = cycles;
  for (int s = 0; s < stage::count; ++s) {
#pragma HLS unroll
    const stage_counters k = counters[s];
    const int first = 1 + counters_per_stage * s;
    if (asked.select == first) counter = k.busy;
    if (asked.select == first + 1) counter = k.run;
    const ap_uint<32> for_input = k.waits_for_input(s == stage::fetch || s == stage::store);
    if (asked.select == first + 2) counter = for_input;
    if (asked.select == first + 3) counter = ap_uint<32>(k.busy - k.run - for_input);
    if (asked.select == first + 4) counter = k.commands;
  }

  if ((ends != 0 && end.code != code::silent) || here) {
    const bool counts = here && head.code == code::ok && opcode == operation::counters;
    fields<status_bits> status = fields<status_bits>::none();
    status.put(here ? number : whose.number);
    status.put(here ? opcode : ap_uint<8>(whose.opcode));
    status.put(ap_uint<8>(here ? head.code : end.code));
    status.put(here ? steps_t(0) : end.steps);
    status.put(here ? (counts ? counter : ap_uint<64>(0)) : ap_uint<64>(ap_int<64>(end.payload)));
    statuses.write(status.word);
  }

  const bool clears = here && head.code == code::ok && opcode == operation::counters && asked.clear;
  cycles = clears ? ap_uint<32>(0) : ap_uint<32>(cycles + 1);
  for (int s = 0; s < stage::count; ++s) {
#pragma HLS unroll
    const bool works = in_flight[s] != 0;
    stage_counters k = counters[s];
    if (works) ++k.busy;
    if (ends[s]) {
      k.run += end.steps;
      ++k.commands;
      k.waits += ap_int<waits_bits>(end.waits - k.idle);
    }
    k.idle = ends[s] ? waits_t(0) : works ? k.idle : waits_t(k.idle + 1);
    if (clears) {
      k.busy = 0;
      k.run = 0;
      k.commands = 0;
      k.waits = 0;
    }
    counters[s] = k;
    in_flight[s] = in_flight[s] + count_t(starts[s]) - count_t(ends[s]);
    for (int r = 0; r < resource::count; ++r) {
#pragma HLS unroll
      const count_t more = starts[s] && head.holds[r] && !(updates && s == stage::fetch);
      const count_t less = ends[s] && whose.holds[r];
      holders[s][r] = holders[s][r] + more - less;
    }
  }
  if (here || starts != 0) {
    waiting = 0;
    ++number;
  }
}

}  // namespace trainer
}  // namespace hwgen
