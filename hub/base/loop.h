// loop.h: one thread that runs handlers one after another: the strand of a lane.
#pragma once

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <utility>

namespace thalweg {

/// An io_context with its one thread. All state of a lane is touched only from its loop, so it needs no locks.
///
/// Threads: post() and stop() from any; io() hands the context to sockets and timers made on the loop.
class Loop {
 public:
  /// `name` (at most 15 characters) is shown by ps and gdb.
  explicit Loop(std::string name);
  ~Loop();  ///< stop() and join(); not from the loop itself
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  /// Starts the thread. Once.
  void start();
  /// Runs `work` on the loop, after what was posted before; never, if the loop stops first. `work` does not throw.
  template <class Work>
  void post(Work&& work) {
    boost::asio::post(io_, std::forward<Work>(work));
  }
  /// Runs `work` on the loop and waits for it to end. The loop is started, is not stopped meanwhile, and is not the
  /// calling thread. What `work` throws is thrown here.
  template <class Work>
  auto run(Work&& work) -> decltype(work()) {
    // Shared, since the caller may go on before the loop has let go of the task.
    auto task = std::make_shared<std::packaged_task<decltype(work())()>>(std::forward<Work>(work));
    auto outcome = task->get_future();
    post([task] { (*task)(); });
    return outcome.get();
  }
  /// The handler under way ends, no further one starts. Any thread.
  void stop();
  void join();
  bool on_loop() const { return std::this_thread::get_id() == thread_id_.load(std::memory_order_acquire); }
  boost::asio::io_context& io() { return io_; }

 private:
  const std::string name_;
  boost::asio::io_context io_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{io_.get_executor()};
  std::atomic<std::thread::id> thread_id_{};
  std::thread thread_;
};

}  // namespace thalweg
