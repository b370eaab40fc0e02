// A Verilated network of kernels that stays alive between calls, with a queue of any length at each port.
//
// Words go in and out as 64-bit limbs, the lowest first. Ports may pause at random. The harness holds the
// network to AXI4-Stream: TVALID, once raised, waits for TREADY with TDATA and TLAST unchanged. The
// generated code beside this file only names ports.
#pragma once

#include <cstring>
#include <memory>
#include <vector>

#include "verilated_harness.hpp"

namespace hwgen {

// A queue of words with TLAST in one run of memory; what was taken from its front is reclaimed now and then.
template <std::size_t LIMBS>
class Queue {
 public:
  std::size_t size() const { return words_.size() - first_; }
  const Word<LIMBS>& front() const { return words_[first_]; }
  bool front_last() const { return last_[first_] != 0; }

  void push(const Word<LIMBS>& word, bool last) {
    words_.push_back(word);
    last_.push_back(last);
  }
  void pop() {
    ++first_;
    if (first_ == words_.size()) {
      words_.clear();
      last_.clear();
      first_ = 0;
    }
  }
  void append(const std::uint64_t* words, const std::uint8_t* last, std::size_t count) {
    const std::size_t old = words_.size();
    words_.resize(old + count);
    std::memcpy(words_.data() + old, words, count * sizeof(Word<LIMBS>));
    last_.insert(last_.end(), last, last + count);
  }
  void take(std::uint64_t* words, std::uint8_t* last, std::size_t count) {
    std::memcpy(words, words_.data() + first_, count * sizeof(Word<LIMBS>));
    std::memcpy(last, last_.data() + first_, count);
    words_.erase(words_.begin(), words_.begin() + static_cast<std::ptrdiff_t>(first_ + count));
    last_.erase(last_.begin(), last_.begin() + static_cast<std::ptrdiff_t>(first_ + count));
    first_ = 0;
  }
  void clear() {
    words_.clear();
    last_.clear();
    first_ = 0;
  }

 private:
  std::vector<Word<LIMBS>> words_;
  std::vector<std::uint8_t> last_;
  std::size_t first_ = 0;
};

// A port that may pause.
class PausingPort : public Port {
 public:
  virtual void reset() = 0;

  void pause(Stalls stalls) {
    random_ = Random(stalls.seed);
    pause_ = stalls.per_65536;
  }

 protected:
  ~PausingPort() = default;
  bool pauses() { return pause_ != 0 && random_.chance(pause_); }

 private:
  Random random_{0};
  std::uint32_t pause_ = 0;
};

template <std::size_t LIMBS>
class QueuePort : public PausingPort {
 public:
  std::size_t size() const override { return queue_.size(); }
  void push(const std::uint64_t* words, const std::uint8_t* last, std::size_t count) override {
    queue_.append(words, last, count);
  }
  void pop(std::uint64_t* words, std::uint8_t* last, std::size_t count) override { queue_.take(words, last, count); }
  void reset() override {
    queue_.clear();
    waiting_ = false;
  }

 protected:
  Queue<LIMBS> queue_;
  bool waiting_ = false;
};

// An input of the network. A word that was offered is offered until it is taken.
template <std::size_t LIMBS>
class InputPort : public QueuePort<LIMBS> {
 public:
  // Chooses TVALID for this cycle.
  bool offer() {
    if (!this->waiting_) this->waiting_ = this->queue_.size() != 0 && !this->pauses();
    return this->waiting_;
  }
  const Word<LIMBS>& word() const { return this->waiting_ ? this->queue_.front() : nothing_; }
  bool last() const { return this->waiting_ && this->queue_.front_last(); }
  void step(bool ready) {
    if (!this->waiting_ || !ready) return;
    this->queue_.pop();
    this->waiting_ = false;
  }

 private:
  Word<LIMBS> nothing_{};
};

// An output of the network.
template <std::size_t LIMBS>
class OutputPort : public QueuePort<LIMBS> {
 public:
  explicit OutputPort(const char* name) : name_(name) {}

  bool ready() { return ready_ = !this->pauses(); }
  bool looks(bool valid) const { return valid || this->waiting_; }
  void step(bool valid, const Word<LIMBS>& word, bool last) {
    if (this->waiting_ && !valid) throw Failure("TVALID of " + std::string(name_) + " fell before TREADY came");
    if (this->waiting_ && (word != waiting_word_ || last != waiting_last_))
      throw Failure("TDATA or TLAST of " + std::string(name_) + " changed before TREADY came");
    this->waiting_ = valid && !ready_;
    if (this->waiting_) {
      waiting_word_ = word;
      waiting_last_ = last;
    } else {
      this->queue_.push(word, last);
    }
  }

 private:
  const char* name_;
  bool ready_ = false;
  Word<LIMBS> waiting_word_{};
  bool waiting_last_ = false;
};

// `Dut` is the generated class: the Verilated design, `ports`, `clock(level)`, `settle()` and `cycle()`.
template <class Dut>
class Simulation {
 public:
  Dut dut;
  std::uint64_t cycles = 0;

  void reset() {
    for (PausingPort* port : dut.ports) port->reset();
    dut.reset();
    cycles = 0;
  }

  void run(std::uint64_t most, const Goal* goals, std::size_t count) {
    for (std::uint64_t i = 0; i < most && !reached(dut.ports, goals, count); ++i) {
      dut.cycle();
      ++cycles;
    }
  }
};

}  // namespace hwgen
