// gate_config_test.cc: gate.toml read whole, or refused with everything that is wrong.
#include "gate/gate_config.h"

#include <catch2/catch.hpp>

using namespace thalweg;
using namespace thalweg::gate;

namespace {
constexpr std::string_view kGood = R"(
party = "510521"
gate = "luxian-1"
people = ["duty"]
[hub]
card = "hub.card"
routine = ["10.0.0.1:7701"]
urgent = ["10.0.0.1:7702", "10.0.0.2:7702"]
[limits]
outbox_mib = 64
[retry.urgent]
max_attempts = 5
[[adapter]]
instance = "station"
plugin = "hj212"
submit = { types = ["thalweg.section.observation.v1"], subjects = ["A500226_*"] }
config = { port = 9000, day = 2026-01-02 }
[[adapter]]
instance = "table"
plugin = "tabular"
lanes = ["routine", "urgent"]
receive.types = ["*"]
limits = { memory_mib = 64, deliver_timeout_s = 5 }
)";
}

TEST_CASE("a gate's file is read with its defaults") {
  std::vector<ConfigMistake> mistakes;
  auto config = GateConfig::parse(real_files(), kGood, "/etc/thalweg", mistakes);
  for (const auto& m : mistakes) UNSCOPED_INFO(m.line << " " << m.key << " " << m.en);
  REQUIRE(config);
  CHECK(config->party == "510521");
  CHECK(config->state == Path("/etc/thalweg/state"));
  CHECK(config->hubs_of(Lane::kUrgent).size() == 2);
  CHECK(config->outbox_bytes == 64ull << 20);
  CHECK(config->retry_of(Lane::kUrgent).max_attempts == 5);
  CHECK(config->retry_of(Lane::kUrgent).max_age_ms == 600'000);
  CHECK(config->retry_of(Lane::kRoutine).max_attempts == 100);
  const AdapterConfig* station = config->adapter("station");
  REQUIRE(station != nullptr);
  CHECK(station->kind == "source");
  CHECK(station->on(Lane::kRoutine));
  CHECK_FALSE(station->on(Lane::kUrgent));
  CHECK(station->library == Path("/etc/thalweg/plugins/hj212/hj212.so"));
  CHECK(station->config_json.find("9000") != std::string::npos);
  CHECK(station->submit.admits("thalweg.section.observation.v1", "A500226_0002"));
  CHECK_FALSE(station->submit.admits("thalweg.section.observation.v1", "B1"));
  CHECK_FALSE(station->submit.admits("thalweg.emergency.notice.v1", "A500226_0002"));
  CHECK_FALSE(station->receive.admits("thalweg.section.observation.v1", "A500226_0002"));
  const AdapterConfig* table = config->adapter("table");
  REQUIRE(table != nullptr);
  CHECK(table->is_sink());
  CHECK(table->on(Lane::kUrgent));
  CHECK(table->limits.memory_bytes == 64ull << 20);
}

TEST_CASE("all mistakes of a gate's file are told at once, with line and key") {
  std::vector<ConfigMistake> mistakes;
  auto config = GateConfig::parse(real_files(), R"(party = "5 1"
gat = "x"
[limits]
outbox_mib = 1
[hub]
urgent = ["nowhere"]
[[adapter]]
instance = "a"
plugin = "p"
lanes = ["fast"]
[[adapter]]
instance = "a"
plugin = "p"
submit.types = ["t"]
receive.types = ["t"]
)",
                                  "/x", mistakes);
  REQUIRE_FALSE(config);
  CHECK(config.error().code == Code::kConfig);
  const std::string shown = show("gate.toml", mistakes, false);
  INFO(shown);
  CHECK(shown.find("gate.toml:2: gat: unknown key, did you mean gate?") != std::string::npos);
  CHECK(shown.find("gate.toml:4: limits.outbox_mib") != std::string::npos);
  CHECK(shown.find("hub.urgent: 'nowhere'") != std::string::npos);
  CHECK(shown.find("adapter[1].lanes: 'fast'") != std::string::npos);
  CHECK(shown.find("adapter[1].submit") != std::string::npos);
  CHECK(shown.find("adapter[2].submit") != std::string::npos);
  CHECK(shown.find("'a' is used twice") != std::string::npos);
  CHECK(shown.find("party: 1 to 64") != std::string::npos);
  CHECK(mistakes.size() == 9);
  const std::string chinese = show("gate.toml", mistakes, true);
  CHECK(chinese.find("gate.toml:2: gat: 未知的键，是否为 gate？") != std::string::npos);
  CHECK(chinese.find("adapter[1].lanes: 'fast' 不是通道") != std::string::npos);
}

TEST_CASE("text that is no TOML is a mistake with its line") {
  std::vector<ConfigMistake> mistakes;
  REQUIRE_FALSE(GateConfig::parse(real_files(), "party = \"x\"\nnonsense\n", "/x", mistakes));
  REQUIRE(mistakes.size() == 1);
  CHECK(mistakes[0].line >= 2);
}
