// What every engine's library and its Python side agree on; the field orders are repeated in engine.py.
#pragma once

#include <cstddef>
#include <cstdint>

namespace hwgen {

// What Python reads after a run.
struct Report {
  std::uint64_t cycles;
  std::uint64_t withheld;  // cycles in which a source had data but paused
  std::uint64_t refused;   // cycles in which the design had a result but the sink paused
  char message[256];
};

// When a run of a network ends: port `port` holds at least (outputs) or at most (inputs) `words` words.
struct Goal {
  std::uint32_t port;
  std::uint32_t output;
  std::uint64_t words;
};

// A port of a network, whatever its width: words of 64-bit limbs, and a byte that is TLAST.
class Port {
 public:
  virtual std::size_t size() const = 0;
  virtual void push(const std::uint64_t* words, const std::uint8_t* last, std::size_t count) = 0;
  virtual void pop(std::uint64_t* words, std::uint8_t* last, std::size_t count) = 0;

 protected:
  ~Port() = default;
};

// Tells whether all goals are reached; without goals, never.
template <class Ports>
bool reached(const Ports& ports, const Goal* goals, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t words = ports[goals[i].port]->size();
    if (goals[i].output ? words < goals[i].words : words > goals[i].words) return false;
  }
  return count != 0;
}

}  // namespace hwgen
