// loop.h: one thread that runs handlers one after another: the strand of a lane.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <string>
#include <thread>

namespace thalweg {

/// An io_context with its one thread. All state of a lane is touched only from its loop, so it needs no locks.
///
/// Threads: post() and stop() from any; io() hands the context to sockets and timers made on the loop.
class Loop {
 public:
  /// `name` (at most 15 characters) is shown by ps and gdb.
  explicit Loop(std::string name);
  ~Loop();  ///< stop() and join()
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  /// Starts the thread. Once.
  void start();
  /// Runs `work` on the loop, after what was posted before.
  template <class Work>
  void post(Work&& work) {
    boost::asio::post(io_, std::forward<Work>(work));
  }
  /// Runs `work` on the loop and waits for it to end; not from the loop itself.
  template <class Work>
  auto run(Work&& work) -> decltype(work());
  /// Handlers under way end, no further one starts. Any thread.
  void stop();
  void join();
  bool on_loop() const { return std::this_thread::get_id() == thread_.get_id(); }
  boost::asio::io_context& io() { return io_; }

 private:
  std::string name_;
  boost::asio::io_context io_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{io_.get_executor()};
  std::thread thread_;
};

}  // namespace thalweg

#include <future>

namespace thalweg {
template <class Work>
auto Loop::run(Work&& work) -> decltype(work()) {
  std::packaged_task<decltype(work())()> task(std::forward<Work>(work));
  auto outcome = task.get_future();
  post([&task] { task(); });
  return outcome.get();
}
}  // namespace thalweg
