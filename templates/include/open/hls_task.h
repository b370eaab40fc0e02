// Open stand-in for AMD's hls_task.h: hls::task, a kernel that is called again and again, and hls_thread_local.
//
// Used only where Vitis' own headers are absent. Natively (C simulation) tasks take turns on one thread: a task runs
// until it reads an empty stream, or until its calls neither move a word nor find one where they look with read_nb;
// it goes on when such a stream has a word. So nothing depends on a scheduler, and no task waits busily. Whoever reads
// an empty stream outside the tasks lets them run until it has a word.
//
// A kernel whose calls find nothing to read and move nothing may still count something inside. It is called `patience`
// times like this before it sleeps; what it counts then stands still. Tasks end with the program; they are never
// unwound.
// With HWGEN_LOWER defined a task is nothing: the compiler to RTL takes the kernels and their channels from elsewhere.

#ifndef HWGEN_OPEN_HLS_TASK_H
#define HWGEN_OPEN_HLS_TASK_H

#include <hls_stream.h>

// Streams and tasks of a top live as long as the program; AMD's are of a thread, of which there is one here.
#define hls_thread_local static

#ifdef HWGEN_LOWER

namespace hls {

class task {
 public:
  template <typename... Arguments>
  explicit task(Arguments&&...) {}
};

}  // namespace hls

#else

#include <ucontext.h>

#include <cstdint>
#include <memory>
#include <tuple>
#include <utility>
#include <vector>

namespace hls {
namespace open {

// One call of a kernel with its streams.
struct activation {
  virtual ~activation() = default;
  virtual void run() = 0;
};

template <typename Kernel, typename... Arguments>
struct bound_activation : activation {
  Kernel kernel;
  std::tuple<Arguments...> arguments;

  bound_activation(Kernel k, Arguments&&... a) : kernel(k), arguments(std::forward<Arguments>(a)...) {}
  void run() override { call(std::index_sequence_for<Arguments...>()); }

 private:
  template <std::size_t... I>
  void call(std::index_sequence<I...>) {
    kernel(std::get<I>(arguments)...);
  }
};

// Runs all tasks in turns.
class turns : public stream_user {
 public:
  static turns& all() {
    static turns only;
    return only;
  }
  turns(const turns&) = delete;
  turns& operator=(const turns&) = delete;
  ~turns() override { stream_users() = nullptr; }

  void add(std::unique_ptr<activation> calls) {
    tasks_.emplace_back(new fiber);
    fiber& f = *tasks_.back();
    f.calls = std::move(calls);
    f.stack.reset(new char[stack_bytes]);
    getcontext(&f.context);
    f.context.uc_stack.ss_sp = f.stack.get();
    f.context.uc_stack.ss_size = stack_bytes;
    f.context.uc_link = nullptr;
    makecontext(&f.context, &turns::body, 0);
  }

  // Lets every task that can go on have one turn; false if there is none.
  bool turn() {
    bool any = false;
    for (auto& task : tasks_) {
      if (!task->can_go_on()) continue;
      any = true;
      task->looked.clear();
      running_ = task.get();
      swapcontext(&outside_, &task->context);
      running_ = nullptr;
    }
    return any;
  }

  // Calls of the kernel that was called most often.
  std::uint64_t most_calls() const {
    std::uint64_t most = 0;
    for (const auto& task : tasks_) most = task->number > most ? task->number : most;
    return most;
  }

  void wait(const looked_at& stream) override {
    if (running_ == nullptr) {
      while (!stream.has_word() && turn()) continue;
      return;
    }
    while (!stream.has_word()) {
      running_->looked.assign(1, stream);
      running_->sleeps = true;
      leave();
    }
  }
  void missed(const looked_at& stream) override {
    if (running_ == nullptr)
      wait(stream);
    else
      running_->looked.push_back(stream);
  }
  void moved() override {
    if (running_ != nullptr) running_->moved = true;
  }

 private:
  static constexpr std::size_t stack_bytes = std::size_t(1) << 20;
  static constexpr unsigned patience = 64;
  static constexpr unsigned calls_a_turn = 256;

  struct fiber {
    ucontext_t context;
    std::unique_ptr<char[]> stack;
    std::unique_ptr<activation> calls;
    std::vector<looked_at> looked;  // streams that had no word
    bool sleeps = false;            // until one of these has
    bool moved = false;
    std::uint64_t number = 0;

    bool can_go_on() {
      for (std::size_t i = 0; sleeps && i < looked.size(); ++i) sleeps = !looked[i].has_word();
      return !sleeps;
    }
  };

  turns() { stream_users() = this; }

  static void body() { all().repeat(*all().running_); }

  void repeat(fiber& task) {
    unsigned idle = 0;
    for (unsigned calls = 1;; ++calls) {
      task.moved = false;
      task.looked.clear();
      task.calls->run();
      ++task.number;
      idle = task.moved || task.looked.empty() ? 0 : idle + 1;
      if (idle == patience) {
        idle = 0;
        task.sleeps = true;
      }
      if (task.sleeps || calls % calls_a_turn == 0) leave();
    }
  }

  void leave() { swapcontext(&running_->context, &outside_); }

  ucontext_t outside_;
  std::vector<std::unique_ptr<fiber> > tasks_;
  fiber* running_ = nullptr;
};

}  // namespace open

class task {
 public:
  template <typename Kernel, typename... Arguments>
  explicit task(Kernel kernel, Arguments&&... arguments) {
    using bound = open::bound_activation<Kernel, Arguments...>;
    open::turns::all().add(std::unique_ptr<open::activation>(new bound(kernel, std::forward<Arguments>(arguments)...)));
  }
  task(const task&) = delete;
  task& operator=(const task&) = delete;
};

}  // namespace hls

#endif

#endif
