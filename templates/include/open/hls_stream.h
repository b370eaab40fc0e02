// Open stand-in for AMD's hls_stream.h: hls::stream<T>, a first-in first-out channel between kernels.
//
// Used only where Vitis' own headers are absent. Natively (C simulation) a stream is an unbounded queue: it is never
// full, as with AMD's, and its depth matters to hardware only. It is for one thread, on which hls_task.h lets several
// tasks take turns.
// With HWGEN_LOWER defined it has no state at all: reads and writes become calls of undefined functions, which the
// compiler to RTL replaces by handshakes on the channel that `this` names. Only reads, read_nb and blocking writes
// exist there.
//
// Deviation from AMD's: reading an empty stream aborts with a message. AMD's warns and returns a default value, which
// turns a wrong token count into wrong numbers. A program that must not abort defines HWGEN_ON_EMPTY_READ(stream),
// which is given the stream's address, and does not use what is computed after that.

#ifndef HWGEN_OPEN_HLS_STREAM_H
#define HWGEN_OPEN_HLS_STREAM_H

#ifdef HWGEN_LOWER
#include "hls_word.h"

#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wbit-int-extension"

// Defined nowhere. Data crosses as packed bits, and no exception can leave, so that a call stays a plain call.
template <int W>
unsigned _BitInt(W) __hwgen_receive(const void* channel) noexcept;
template <int W>
bool __hwgen_poll(const void* channel) noexcept;
template <int W>
unsigned _BitInt(W) __hwgen_polled(const void* channel) noexcept;
template <int W>
void __hwgen_send(void* channel, unsigned _BitInt(W) data) noexcept;

#pragma clang diagnostic pop
#else
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <string>
#endif

namespace hls {

#ifndef HWGEN_LOWER

namespace open {

// A stream that somebody looked at and found empty.
struct looked_at {
  bool (*full)(const void*);
  const void* stream;

  bool has_word() const { return full(stream); }
};

// Who must know what happens to streams: hls_task.h, where it is included.
class stream_user {
 public:
  virtual ~stream_user() = default;
  virtual void wait(const looked_at& stream) = 0;    // a read found it empty: return when it has a word, or never will
  virtual void missed(const looked_at& stream) = 0;  // a read that does not wait found it empty
  virtual void moved() = 0;                          // a word was read or written
};
inline stream_user*& stream_users() {
  static stream_user* user = nullptr;
  return user;
}

}  // namespace open

#endif

// A stream of any depth can be passed where a kernel expects hls::stream<T>&.
template <typename T, int Depth = 0>
class stream : public stream<T, 0> {
 public:
  using stream<T, 0>::stream;
};

#ifdef HWGEN_LOWER

template <typename T>
class stream<T, 0> {
 public:
  stream() = default;
  explicit stream(const char*) {}
  stream(const stream&) = delete;
  stream& operator=(const stream&) = delete;

  // Without line tables of their own, these are at the line that uses them when the compiler to RTL refuses something.
  __attribute__((always_inline, nodebug)) T read() { return word::value(__hwgen_receive<width>(this)); }
  __attribute__((always_inline, nodebug)) void read(T& x) { x = read(); }
  __attribute__((always_inline, nodebug)) bool read_nb(T& x) {
    if (!__hwgen_poll<width>(this)) return false;
    x = word::value(__hwgen_polled<width>(this));
    return true;
  }
  __attribute__((always_inline, nodebug)) void write(const T& x) { __hwgen_send<width>(this, word::bits(x)); }
  __attribute__((always_inline, nodebug)) void operator>>(T& x) { x = read(); }
  __attribute__((always_inline, nodebug)) void operator<<(const T& x) { write(x); }

 private:
  using word = ap_open::stream_word<T>;
  static constexpr int width = word::width;
};

#else

template <typename T>
class stream<T, 0> {
 public:
  stream() = default;
  explicit stream(const char* name) : name_(name) {}
  explicit stream(const std::string& name) : name_(name) {}
  stream(const stream&) = delete;
  stream& operator=(const stream&) = delete;

  T read() {
    if (queue_.empty() && user() != nullptr) user()->wait(looked());
    if (queue_.empty()) {
#ifdef HWGEN_ON_EMPTY_READ
      HWGEN_ON_EMPTY_READ(this);
      return T();
#else
      std::fprintf(stderr, "hls::stream '%s' is read while empty: the reader expects more tokens than were written\n",
                   name_.c_str());
      std::abort();
#endif
    }
    return taken();
  }
  void read(T& x) { x = read(); }
  bool read_nb(T& x) {
    if (empty()) return false;
    x = taken();
    return true;
  }
  void write(const T& x) {
    queue_.push_back(x);
    if (user() != nullptr) user()->moved();
  }
  bool write_nb(const T& x) {
    write(x);
    return true;
  }
  void operator>>(T& x) { x = read(); }
  void operator<<(const T& x) { write(x); }

  bool empty() const {
    if (queue_.empty() && user() != nullptr) user()->missed(looked());
    return queue_.empty();
  }
  bool full() const { return false; }
  std::size_t size() const { return queue_.size(); }
  const char* get_name() const { return name_.c_str(); }

 private:
  static open::stream_user* user() { return open::stream_users(); }
  static bool has_word(const void* self) { return !static_cast<const stream*>(self)->queue_.empty(); }
  open::looked_at looked() const { return {&stream::has_word, this}; }
  T taken() {
    const T front = queue_.front();
    queue_.pop_front();
    if (user() != nullptr) user()->moved();
    return front;
  }

  std::string name_;
  std::deque<T> queue_;
};

#endif

}  // namespace hls

#endif
