#include "storm/watcher.h"

#include <nlohmann/json.hpp>

#include "link/local_socket.h"

namespace thalweg::storm {

Watcher::Watcher(Path socket, Lane lane, std::string party) {
  thread_ = std::thread([this, socket = std::move(socket), lane, mark = "\"from\":\"" + party + "\""] {
    auto client = link::BlockingLocalClient::connect(socket, link::LocalRole::kPerson, std::chrono::seconds(5));
    if (!client) return;
    const nlohmann::json request{{"cmd", "tail"}, {"from", "start"}, {"lane", std::string(name(lane))}};
    (void)client->stream(request.dump(), [&](std::string_view event) {
      if (event.find(mark) == std::string_view::npos) return true;
      const auto now = SteadyClock::now();
      const std::lock_guard lock(mutex_);
      seen_.push_back(now);
      return true;
    });
  });
}

void Watcher::join() {
  if (thread_.joinable()) thread_.join();
}

std::size_t Watcher::count() const {
  const std::lock_guard lock(mutex_);
  return seen_.size();
}

std::vector<SteadyClock::time_point> Watcher::seen() const {
  const std::lock_guard lock(mutex_);
  return seen_;
}

}  // namespace thalweg::storm
