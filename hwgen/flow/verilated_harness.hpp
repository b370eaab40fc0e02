// Drives a Verilated design over arrays, one clock cycle after the other.
//
// Function tops take one vector per clock and must answer after exactly the latency that the RTL's own
// record claims. Stream tops are driven by AXI4-Stream sources and a sink that pause at random; the
// harness also holds the design to the protocol: TVALID, once raised, waits for TREADY with TDATA
// unchanged, and there are as many results as vectors. The generated code beside this file only names
// ports.
#pragma once

#include <verilated.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <stdexcept>
#include <string>

#include "engine.hpp"

namespace hwgen {

// How ports pause; the field order is repeated in engine.py.
struct Stalls {
  std::uint64_t seed;
  std::uint32_t per_65536;  // probability of a pause, for each port and cycle
};

struct Failure : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Runs `body` and turns what it throws into a message: nothing may leave an extern "C" function.
template <class Body>
int guarded(Report& report, const Body& body) {
  try {
    body();
    return 0;
  } catch (const std::exception& error) {
    std::snprintf(report.message, sizeof report.message, "%s", error.what());
    return 1;
  }
}

// SplitMix64 (Steele, Lea and Flood, OOPSLA 2014): every seed starts an independent-looking sequence.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  bool chance(std::uint32_t per_65536) {
    state_ += 0x9e3779b97f4a7c15u;
    std::uint64_t word = state_;
    word = (word ^ (word >> 30)) * 0xbf58476d1ce4e5b9u;
    word = (word ^ (word >> 27)) * 0x94d049bb133111ebu;
    return ((word ^ (word >> 31)) & 0xffff) < per_65536;
  }

 private:
  std::uint64_t state_;
};

// A port's word as the arrays hold it: 64-bit limbs, the lowest first.
template <std::size_t LIMBS>
using Word = std::array<std::uint64_t, LIMBS>;

// Verilator keeps up to 64 bits in an integer, and longer words as an array of 32-bit parts, the lowest first.
template <class Port, class Storage>
void drive(Port& port, const Storage* word) {
  port = static_cast<Port>(*word);
}
template <std::size_t PARTS, class Storage>
void drive(VlWide<PARTS>& port, const Storage* word) {
  for (std::size_t i = 0; i < PARTS; ++i) port[i] = static_cast<std::uint32_t>(word[i / 2] >> (i % 2 * 32));
}

// AXI pads words to whole bytes; only the low WIDTH bits count.
template <unsigned WIDTH>
constexpr std::uint64_t last_limb() {
  return ~std::uint64_t(0) >> (64 - (WIDTH - 1) % 64 - 1);
}
template <unsigned WIDTH, class Port, class Storage>
void load(const Port& port, Storage* word) {
  *word = static_cast<Storage>(port & last_limb<WIDTH>());
}
template <unsigned WIDTH, std::size_t PARTS, class Storage>
void load(const VlWide<PARTS>& port, Storage* word) {
  constexpr std::size_t last = (WIDTH - 1) / 64;
  for (std::size_t i = 0; i <= last; ++i) {
    const std::uint64_t high = 2 * i + 1 < PARTS ? port[2 * i + 1] : 0;
    word[i] = static_cast<Storage>(port[2 * i] | high << 32);
  }
  word[last] = static_cast<Storage>(word[last] & last_limb<WIDTH>());
}

template <std::size_t LIMBS, class Storage>
void keep(const Word<LIMBS>& from, Storage* to) {
  for (std::size_t i = 0; i < LIMBS; ++i) to[i] = static_cast<Storage>(from[i]);
}

// The sending side of one input stream.
class Source {
 public:
  Source(std::size_t count, Stalls stalls, std::uint64_t port)
      : count_(count), random_(stalls.seed * 64 + port), pause_(stalls.per_65536) {}

  // Chooses TVALID for this cycle. A word that was offered is offered until it is taken.
  bool offer(Report& report) {
    if (!valid_ && index_ < count_) {
      valid_ = !random_.chance(pause_);
      report.withheld += !valid_;
    }
    return valid_;
  }

  // The word to put on TDATA: the last one is kept when all are sent.
  std::size_t index() const { return index_ < count_ ? index_ : count_ - 1; }

  bool taken(bool ready) {
    const bool fires = valid_ && ready;
    index_ += fires;
    valid_ = valid_ && !fires;
    return fires;
  }

  bool empty() const { return index_ == count_; }

 private:
  std::size_t count_;
  std::size_t index_ = 0;
  Random random_;
  std::uint32_t pause_;
  bool valid_ = false;
};

// The receiving side of the output stream, of words of LIMBS * 64 bits.
template <std::size_t LIMBS>
class Sink {
 public:
  Sink(std::size_t count, Stalls stalls) : count_(count), random_(stalls.seed * 64 + 63), pause_(stalls.per_65536) {}

  bool ready() { return ready_ = !random_.chance(pause_); }

  // Takes what the design offers in this cycle; true if `index` of the results is `data`.
  bool take(bool valid, const Word<LIMBS>& data, Report& report) {
    if (waiting_ && !valid)
      throw Failure("TVALID of the result fell before TREADY came (result " + std::to_string(index_) + ")");
    if (waiting_ && data != waiting_data_)
      throw Failure("TDATA of the result changed before TREADY came (result " + std::to_string(index_) + ")");
    waiting_ = valid && !ready_;
    waiting_data_ = data;
    report.refused += waiting_;
    if (!valid || !ready_) return false;
    if (index_ == count_) throw Failure("more results than the " + std::to_string(count_) + " that are due");
    return true;
  }

  std::size_t next() { return index_++; }
  bool complete() const { return index_ == count_; }
  std::size_t received() const { return index_; }

 private:
  std::size_t count_;
  std::size_t index_ = 0;
  Random random_;
  std::uint32_t pause_;
  bool ready_ = false;
  bool waiting_ = false;
  Word<LIMBS> waiting_data_{};
};

// One vector per clock through a design of fixed latency. `set(i)` puts vector i on the inputs, `get(i)`
// stores the result of vector i, `evaluate(level)` sets the clock, if there is one, and settles the design.
template <class Set, class Get, class Evaluate>
void run_function(std::size_t count, std::size_t latency, Report& report, const Set& set, const Get& get,
                  const Evaluate& evaluate) {
  for (std::size_t cycle = 0; cycle < count + latency; ++cycle) {
    if (cycle < count) set(cycle);
    evaluate(0);
    if (cycle >= latency) get(cycle - latency);
    if (latency > 0) evaluate(1);
    ++report.cycles;
  }
}

// Cycles until every operand is taken and every result has come. `unread()` names the ports that still have words;
// `cycle()` is one clock cycle and says whether any word moved.
template <std::size_t LIMBS, class Unread, class Cycle>
void run_stream(const Sink<LIMBS>& sink, const Unread& unread, Report& report, const Cycle& cycle) {
  constexpr std::uint64_t patience = 10000;  // cycles; a pause this long does not happen at random
  constexpr unsigned drain = 100;            // cycles in which a result too many would come out
  for (std::uint64_t idle = 0; !sink.complete() || !unread().empty(); ++report.cycles) {
    idle = cycle() ? 0 : idle + 1;
    if (idle <= patience) continue;
    const std::string ports = unread();
    throw Failure("no word moved for 10000 cycles after " + std::to_string(sink.received()) + " results" +
                  (ports.empty() ? "" : ", with words unread at" + ports));
  }
  for (unsigned i = 0; i < drain; ++i) cycle();
}

}  // namespace hwgen
