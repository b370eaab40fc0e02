// Sums over the frames of a stream, rounded after each term. One call is one activation; the registers are the
// caller's, so that it can declare them `static` and say how they are reset.
//
// The sum is a recurrence: the next step needs the rounded result of this one. `accumulate` has it in one register, so
// a step must fit one clock period. `accumulate_interleaved` lets N partial sums take the terms in turn; each has N
// clock periods for its step, and a term is taken in every one of them.
#pragma once

#include "hwgen/accumulator_step.hpp"

namespace hwgen {

// Returns the sum after term x. `open` says whether a frame has begun.
template <class Y, class RULE, class TERM>
HWGEN_INLINE ap_uint<Y::width> accumulate(TERM x, sum_control control, typename RULE::random_t random,
                                          ap_uint<Y::width>& sum_so_far, ap_uint<1>& open) {
  const ap_uint<1> first = clears(control) | ~open;
  sum_so_far = step_sum<Y, RULE>(x, sum_so_far, first, random);
  open = ~ends(control);
  return sum_so_far;
}

// Sums of neighbours, level by level, under COMBINE. leaf[] is oldest first, the last is newest; of the first ones
// `missing` have no term in this frame. What has no partner, or a missing one, goes up a level as it is.
template <class Y, class COMBINE, int N>
HWGEN_INLINE ap_uint<Y::width> combine_sums(ap_uint<Y::width> (&leaf)[N], ap_uint<bits_for(N)> missing) {
  for (int span = 1; span < N; span *= 2) {
    for (int i = 0; i + span < N; i += 2 * span) {
      // The right half's last leaf is present if any is; the left half counts if its own last leaf is present.
      const ap_uint<1> present = missing < i + span;
      leaf[i] = present ? add<Y, Y, Y, COMBINE>(leaf[i], leaf[i + span]) : leaf[i + span];
    }
  }
  return leaf[0];
}

// The registers of N partial sums. `partial` is a ring: each is read and written once in N activations, at `turn`.
// `recent` holds the last N - 1 results, the newest lowest; `count` is the number of terms in the frame, up to N.
template <class Y, int N>
struct interleaved {
  static_assert(N >= 2, "one partial sum needs no interleaving");
  using turn_t = ap_uint<bits_for(N - 1)>;
  using count_t = ap_uint<bits_for(N)>;
  using recent_t = ap_uint<(N - 1) * Y::width>;
};

// Returns the sum of all partial sums after term x.
template <class Y, class RULE, class COMBINE, int N, class TERM>
HWGEN_INLINE ap_uint<Y::width> accumulate_interleaved(TERM x, sum_control control, typename RULE::random_t random,
                                                      typename interleaved<Y, N>::turn_t& turn,
                                                      typename interleaved<Y, N>::recent_t& recent,
                                                      typename interleaved<Y, N>::count_t& count,
                                                      ap_uint<Y::width> (&partial)[N]) {
  using count_t = typename interleaved<Y, N>::count_t;
  using recent_t = typename interleaved<Y, N>::recent_t;
  // --- the recurrence ---
  const count_t before = clears(control) ? count_t(0) : count;
  const ap_uint<Y::width> newest = step_sum<Y, RULE>(x, partial[turn], before < N, random);
  partial[turn] = newest;
  turn = turn == N - 1 ? typename interleaved<Y, N>::turn_t(0) : typename interleaved<Y, N>::turn_t(turn + 1);

  // --- beside it: the last N results are the partial sums, each with its last term ---
  const count_t terms = before < N ? count_t(before + 1) : count_t(N);
  count = ends(control) ? count_t(0) : terms;
  ap_uint<Y::width> leaf[N];
  for (int i = 0; i < N - 1; ++i) leaf[i] = recent >> ((N - 2 - i) * Y::width);
  leaf[N - 1] = newest;
  recent = (recent << Y::width) | recent_t(newest);
  return combine_sums<Y, COMBINE, N>(leaf, count_t(N) - terms);
}

// Returns the sum after term x, in chunks of CHUNK terms that are summed in format P.
template <class P, class P_RULE, class Y, class RULE, int CHUNK, class TERM>
HWGEN_INLINE ap_uint<Y::width> accumulate_chunked(TERM x, sum_control control, typename P_RULE::random_t inner_random,
                                                  typename RULE::random_t outer_random, ap_uint<P::width>& inner,
                                                  ap_uint<bits_for(CHUNK - 1)>& inner_terms, ap_uint<Y::width>& outer,
                                                  ap_uint<1>& outer_open) {
  using terms_t = ap_uint<bits_for(CHUNK - 1)>;
  const terms_t before = clears(control) ? terms_t(0) : inner_terms;
  inner = step_sum<P, P_RULE>(x, inner, before == 0, inner_random);
  const ap_uint<1> full = before == CHUNK - 1;
  const ap_uint<1> chunk_ends = full | ends(control);
  inner_terms = chunk_ends ? terms_t(0) : terms_t(before + 1);

  const ap_uint<1> outer_counts = outer_open & ~clears(control);
  const ap_uint<Y::width> total = step_sum<Y, RULE>(sum_operand < P, P::fixed_grid && Y::fixed_grid > ::value(inner),
                                                    outer, ~outer_counts, outer_random);
  if (chunk_ends) outer = total;
  outer_open = (outer_counts | chunk_ends) & ~ends(control);
  return total;
}

}  // namespace hwgen
