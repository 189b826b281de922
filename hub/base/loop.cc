#include "base/loop.h"

#include <pthread.h>

#include "base/invariant.h"

namespace thalweg {

Loop::Loop(std::string name) : name_(std::move(name)) {
  THALWEG_INVARIANT(name_.size() <= 15);  // the kernel's limit; longer names would be refused without a word
}

Loop::~Loop() {
  stop();
  join();
}

void Loop::start() {
  THALWEG_INVARIANT(!thread_.joinable());
  thread_ = std::thread([this] {
    pthread_setname_np(pthread_self(), name_.c_str());
    thread_id_.store(std::this_thread::get_id(), std::memory_order_release);
    // Handlers do not throw; one that does ends the process by std::terminate, with its stack.
    io_.run();
  });
}

void Loop::stop() { io_.stop(); }

void Loop::join() {
  if (!thread_.joinable()) return;
  THALWEG_INVARIANT(!on_loop());
  thread_.join();
}

}  // namespace thalweg
