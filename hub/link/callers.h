// callers.h: addresses from which handshakes fail again and again; what they try next is not worth its computing.
// Private to link.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

namespace thalweg::link {

/// A handshake costs the hub five multiplications on the curve, whether the key is known or not. An address may fail so
/// many times at once, and so many more a second; after that it is turned away before the first of them. An address
/// from which a session came stays welcome: who shares it with an attacker must not be shut out. Threads: one loop.
class Callers {
 public:
  struct Limits {
    double at_once = 20;
    double per_s = 0.2;
  };
  explicit Callers(Limits limits) : limits_(limits) {}

  void failed(std::string_view address, std::int64_t steady_ns) {
    Caller& caller = look(address, steady_ns);
    caller.left = std::max(0.0, caller.left - 1);
  }
  void succeeded(std::string_view address, std::int64_t steady_ns) { look(address, steady_ns).good = true; }
  bool welcome(std::string_view address, std::int64_t steady_ns) {
    if (!callers_.contains(std::string(address))) return true;
    const Caller& caller = look(address, steady_ns);
    return caller.good || caller.left >= 1;
  }

 private:
  struct Caller {
    double left = 0;
    std::int64_t at_ns = 0;
    bool good = false;
  };
  Caller& look(std::string_view address, std::int64_t steady_ns) {
    // What is forgotten starts anew, so a full table only makes the hub more patient.
    constexpr std::size_t kMost = 16'384;
    if (callers_.size() >= kMost) std::erase_if(callers_, [](const auto& one) { return !one.second.good; });
    if (callers_.size() >= kMost) callers_.clear();
    Caller& caller =
        callers_.try_emplace(std::string(address), Caller{limits_.at_once, steady_ns, false}).first->second;
    caller.left =
        std::min(limits_.at_once, caller.left + static_cast<double>(steady_ns - caller.at_ns) * 1e-9 * limits_.per_s);
    caller.at_ns = steady_ns;
    return caller;
  }

  const Limits limits_;
  std::unordered_map<std::string, Caller> callers_;
};

}  // namespace thalweg::link
