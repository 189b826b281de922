// The adapter itself: joins configuration, server and host.
#include <memory>
#include <utility>

#include "hj212_config.h"
#include "server.h"
#include "thalweg/cpp/adapter.h"
#include "thalweg_factors_tsv.h"

namespace thalweg::hj212 {

class Hj212Source final : public Source {
 public:
  Status configure(std::string_view json) override {
    TW_ASSIGN(settings_, Settings::read(json, factors_));
    return {};
  }

  Status start() override {
    auto server = std::make_unique<Server>(settings_, factors_, host());
    TW_TRY(server->start());
    server_ = std::move(server);
    return {};
  }

  void settled(std::span<const Settled> all) override {
    std::vector<Intake::Outcome> outcomes;
    outcomes.reserve(all.size());
    for (const Settled& s : all) outcomes.push_back({s.ticket, s.verdict, s.code, std::string(s.reason)});
    server_->settled(std::move(outcomes));
  }

  void room() override { server_->room(); }

  void later(std::span<const Refusal> refusals) override {
    // The station was told that its data is safe, and it is: kept by the hub with the reason. People are told here.
    for (const Refusal& r : refusals)
      host().warning("the hub refused " + std::string(r.origin_key) + " (" + std::to_string(static_cast<int>(r.code)) +
                     "): " + std::string(r.reason));
  }

  void stop(std::chrono::milliseconds) override { server_.reset(); }

 private:
  const FactorTable factors_{kFactorsTsv};
  Settings settings_;
  std::unique_ptr<Server> server_;
};

}  // namespace thalweg::hj212

THALWEG_SOURCE(thalweg::hj212::Hj212Source)
