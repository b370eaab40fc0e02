// What the kernels of a trainer core tell each other, as packed words: every channel carries an ap_uint.
//
// A core is a type with the array's and the memories' sizes; see `core` in the emitted top. A *stage* is what a command
// runs on: fetch, fill, multiply or store.
#pragma once

#include "hwgen/format.hpp"

namespace hwgen {
namespace trainer {

constexpr int command_bits = 256;
constexpr int status_bits = 128;
constexpr int beat_bits = 128;
constexpr int count_bits = 24;                 // of saturated elements in a payload
constexpr int payload_bits = count_bits + 16;  // and an exponent above
constexpr int waits_bits = 24;

// Packs fields into a word or takes them out of it, the first one lowest. All positions are constants.
template <int W>
struct fields {
  ap_uint<W> word;
  int at;

  static HWGEN_INLINE fields none() { return of(0); }
  static HWGEN_INLINE fields of(ap_uint<W> word) {
    fields f;
    f.word = word;
    f.at = 0;
    return f;
  }
  template <int V>
  HWGEN_INLINE fields& put(ap_uint<V> x) {
    word |= ap_uint<W>(x) << at;
    at += V;
    return *this;
  }
  template <int V>
  HWGEN_INLINE fields& take(ap_uint<V>& x) {
    x = word >> at;
    at += V;
    return *this;
  }
  template <int V>
  HWGEN_INLINE fields& take(ap_int<V>& x) {
    x = word >> at;
    at += V;
    return *this;
  }
};

// What became of a command. `silent` never leaves the core: the status comes from another stage.
namespace code {
enum { ok, opcode, width, address, shape, early_end, late_end, stopped, not_finite, overflow, silent = 15 };
}
namespace operation {
enum { nop, fetch, fill, gemm, store, counters, load, bias, update, norm };
}
namespace store_mode {
enum { raw, integers, measure, gradients, squares, sums };
}
namespace stage {
enum { fetch, fill, multiply, store, count };
}

// Halves of the memories, as bits of a mask: what a command reads or writes.
namespace resource {
enum { scratch = 0, a = 2, b = 4, c = 6, count = 8 };
}

using code_t = ap_uint<4>;
using mask_t = ap_uint<resource::count>;
using number_t = ap_uint<16>;
using opcode_t = ap_uint<4>;
using steps_t = ap_uint<32>;
using payload_t = ap_int<payload_bits>;
using waits_t = ap_uint<waits_bits>;

// Which command a message is about: its number and opcode, and the memory halves that it holds until it is done.
struct ticket {
  static constexpr int width = 16 + resource::count + 4;
  number_t number;
  mask_t holds;
  opcode_t opcode;

  HWGEN_INLINE ap_uint<width> word() const { return fields<width>::none().put(number).put(holds).put(opcode).word; }
  static HWGEN_INLINE ticket of(ap_uint<width> word) {
    ticket t;
    fields<width>::of(word).take(t.number).take(t.holds).take(t.opcode);
    return t;
  }
};

// The end of a command, sent by whoever touches memory last: the owner of the memory that it wrote, or the store stage.
struct done {
  static constexpr int width = ticket::width + 4 + 32 + payload_bits + waits_bits;
  ap_uint<ticket::width> whose;
  code_t code;
  steps_t steps;      // clocks in which the stage did useful work
  payload_t payload;  // an exponent; how many elements saturated, and above the exponent asked for; or a norm in fp32
  waits_t waits;      // of the fetch and the store stage: clocks since its last command in which it had nothing to do

  HWGEN_INLINE ap_uint<width> word() const {
    return fields<width>::none().put(whose).put(code).put(steps).put(ap_uint<payload_bits>(payload)).put(waits).word;
  }
  static HWGEN_INLINE done of(ap_uint<width> word) {
    done d;
    fields<width>::of(word).take(d.whose).take(d.code).take(d.steps).take(d.payload).take(d.waits);
    return d;
  }
  static HWGEN_INLINE done with(ap_uint<ticket::width> whose, code_t code, steps_t steps, payload_t payload = 0,
                                waits_t waits = 0) {
    done d;
    d.whose = whose;
    d.code = code;
    d.steps = steps;
    d.payload = payload;
    d.waits = waits;
    return d;
  }
};

// A write request: data for an address, and after the last one of a command the message that it is done. A request may
// carry one of the two only.
template <int ADDRESS, int DATA>
struct write_request {
  static constexpr int width = 2 + ADDRESS + DATA + done::width;
  ap_uint<1> writes;
  ap_uint<1> ends;
  ap_uint<ADDRESS> address;
  ap_uint<DATA> data;
  ap_uint<done::width> end;

  HWGEN_INLINE ap_uint<width> word() const {
    return fields<width>::none().put(writes).put(ends).put(address).put(data).put(end).word;
  }
  static HWGEN_INLINE write_request of(ap_uint<width> word) {
    write_request w;
    fields<width>::of(word).take(w.writes).take(w.ends).take(w.address).take(w.data).take(w.end);
    return w;
  }
};

// A command on its way to its stage.
struct order {
  static constexpr int width = command_bits + ticket::width;
  ap_uint<command_bits> command;
  ap_uint<ticket::width> whose;

  HWGEN_INLINE ap_uint<width> word() const { return fields<width>::none().put(command).put(whose).word; }
  static HWGEN_INLINE order of(ap_uint<width> word) {
    order o;
    fields<width>::of(word).take(o.command).take(o.whose);
    return o;
  }
};

// A command after its check.
struct checked {
  static constexpr int width = command_bits + 4 + resource::count;
  ap_uint<command_bits> command;
  code_t code;
  mask_t holds;

  HWGEN_INLINE ap_uint<width> word() const { return fields<width>::none().put(command).put(code).put(holds).word; }
  static HWGEN_INLINE checked of(ap_uint<width> word) {
    checked c;
    fields<width>::of(word).take(c.command).take(c.code).take(c.holds);
    return c;
  }
};

}  // namespace trainer
}  // namespace hwgen
