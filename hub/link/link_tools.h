// link_tools.h: small things that both ends of the link use. Private to link.
#pragma once

#include <chrono>
#include <cstdint>
#include <future>

#include "base/loop.h"
#include "link/zmq_socket.h"

namespace thalweg::link {

inline constexpr std::int64_t kNsPerMs = 1'000'000;

template <class Message>
Bytes encoded(const Message& message) {
  Bytes bytes;
  message.encode(bytes);
  return bytes;
}

/// The routing id that a ROUTER makes for a peer without one: a zero byte and a number.
inline zmq::message_t routing_frame(std::uint32_t number) {
  zmq::message_t frame(5);
  auto* at = static_cast<std::uint8_t*>(frame.data());
  at[0] = 0;
  std::memcpy(at + 1, &number, sizeof number);
  return frame;
}

/// Runs `work` on a loop that runs, or here when it has ended. Not on the loop.
template <class Work>
void run_on_loop(Loop& loop, Work work) {
  auto task = std::make_shared<std::packaged_task<void()>>(std::move(work));
  auto outcome = task->get_future();
  loop.post([task] { (*task)(); });
  while (outcome.wait_for(std::chrono::milliseconds(20)) != std::future_status::ready) {
    if (!loop.io().stopped()) continue;
    loop.join();
    if (outcome.wait_for(std::chrono::seconds(0)) != std::future_status::ready) (*task)();
  }
}

}  // namespace thalweg::link
