// http_endpoint.h: /metrics for Prometheus and /healthz, on the machine's own address.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/loop.h"
#include "thalweg/cpp/result.h"

namespace thalweg::app {

/// Answers GET /metrics and GET /healthz; everything else with 404. Requests are bounded in size and time.
///
/// Threads: its loop; `metrics` and `healthy` are called there.
class HttpEndpoint {
 public:
  struct Pages {
    std::function<std::string()> metrics;            ///< text exposition format 0.0.4
    std::function<std::string()> unhealthy_because;  ///< empty: healthy
  };
  /// `port` 0 takes a free one. Errors: kConfig (address), kUnavailable (in use).
  static Result<std::unique_ptr<HttpEndpoint>> listen(Loop& loop, const std::string& address, std::uint16_t port,
                                                      Pages pages);
  /// Not on the loop; the loop runs or has ended.
  ~HttpEndpoint();
  std::uint16_t port() const;

 private:
  struct Impl;
  explicit HttpEndpoint(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

/// One line of the exposition format: name{labels} value.
void metric(std::string& page, std::string_view name, std::string_view labels, double value);

}  // namespace thalweg::app
