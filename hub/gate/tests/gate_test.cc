// gate_test.cc: a whole gate with its sockets and real runners, and no hub: what a site does while the line is down.
#include "gate/gate.h"

#include <catch2/catch.hpp>
#include <chrono>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "gate/gate_lane.h"
#include "link/local_socket.h"
#include "support/sample_records.h"
#include "support/temp_folder.h"

using namespace thalweg;
using nlohmann::json;

namespace {

template <class T>
T must(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().message);
  return *std::move(result);
}

bool eventually(const std::function<bool()>& yes) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(120);
  while (!yes()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::yield();
  }
  return true;
}

/// A gate's folder with keys and the card of a hub that nobody ever sees.
struct Site {
  explicit Site(const std::string& adapters = {}) {
    std::filesystem::create_directories(folder / "keys");
    if (!trust::SigningKey::generate().save(folder / "keys" / "signing.key") ||
        !trust::CurveKeyPair::generate().save(folder / "keys" / "curve.key"))
      throw std::runtime_error("keys");
    const trust::SigningKey hub = trust::SigningKey::generate();
    trust::HubCard card;
    card.hub = "hub";
    card.ledger_id[0] = 7;
    card.signing = hub.public_key();
    card.curve_z85 = trust::CurveKeyPair::generate().public_z85;
    card.addresses = {{"127.0.0.1:1", "127.0.0.1:1"}};
    std::ofstream(folder / "hub.card") << must(trust::sign(card, hub)).document();
    std::ofstream(folder / "gate.toml") << "party = \"510521\"\ngate = \"gate-1\"\nplugins = \"" TEST_PLUGINS "\"\n"
                                        << "limits = { reserve_percent = 0 }\n"  // however full the disk is
                                        << adapters;
  }
  void start() {
    std::vector<gate::ConfigMistake> mistakes;
    auto config = gate::GateConfig::load(real_files(), folder / "gate.toml", mistakes);
    INFO(gate::show("gate.toml", mistakes, false));
    REQUIRE(config);
    gate::Gate::Options options;
    options.runner = THALWEG_BIN_DIR "/thalweg-runner";
    gate = must(gate::Gate::start(real_files(), system_clock(), *std::move(config), std::move(options)));
  }
  json ask(const json& request, Lane lane = Lane::kUrgent) {
    auto client = must(link::BlockingLocalClient::connect(gate->config().socket(lane)));
    return json::parse(must(client.request(request.dump())));
  }
  json adapter(std::size_t place = 0) {
    const json status = ask({{"cmd", "status"}});
    for (const json& lane : status["lanes"]) {
      if (lane["lane"] == "routine") return lane["adapters"].at(place);
    }
    return {};
  }
  json outbox(const std::string& wanted = "routine") {
    const json status = ask({{"cmd", "status"}});
    for (const json& lane : status["lanes"]) {
      if (lane["lane"] == wanted) return lane["outbox"];
    }
    return {};
  }

  TempFolder folder;
  std::unique_ptr<gate::Gate> gate;
};

json draft(const std::string& key, const std::string& lane = "routine") {
  return {{"type", "thalweg.section.observation.v1"},
          {"subject", "laixi-gaodong"},
          {"lane", lane},
          {"time", "2026-09-23T06:00:00+08:00"},
          {"origin_key", key},
          {"data_json", samples::observation_data()}};
}

const std::string kSource = R"([[adapter]]
instance = "station"
plugin = "counting_source"
submit = { types = ["thalweg.section.observation.v1"] }
config = { count = 500 }
)";

}  // namespace

TEST_CASE("a source's records are stored once, whatever becomes of the process and the gate") {
  Site site(kSource);
  site.start();
  REQUIRE(eventually([&] { return site.outbox()["accepted"] == 500; }));
  CHECK(site.adapter()["state"] == "running");
  // Started anew, it submits all again.
  CHECK(site.ask({{"cmd", "adapter"}, {"act", "restart"}, {"instance", "station"}})["ok"] == true);
  REQUIRE(eventually([&] { return site.outbox()["repeated"] == 500; }));
  CHECK(site.adapter()["crashes"] == 0);
  site.gate.reset();
  site.start();
  REQUIRE(eventually([&] { return site.outbox()["repeated"] == 500; }));
  CHECK(site.outbox()["records"] == 500);
  CHECK(site.outbox()["origin_keys"] == 500);
}

TEST_CASE("a killed runner starts again, one that ends too often is held back until a person lets it go on") {
  Site site(R"([[adapter]]
instance = "table"
plugin = "odd_sink"
receive = { types = ["*"] }
limits = { restarts = 2 }
)");
  site.start();
  for (int kill = 1; kill <= 3; ++kill) {
    REQUIRE(eventually([&] { return site.adapter()["state"] == "running"; }));
    const pid_t pid = site.adapter()["pid"];
    REQUIRE(pid > 0);
    ::kill(pid, SIGKILL);
    REQUIRE(eventually([&] { return site.adapter()["crashes"] == kill; }));
  }
  CHECK(site.adapter()["state"] == "quarantined");
  CHECK(site.adapter()["why"] == "signal SIGKILL");
  CHECK(site.ask({{"cmd", "adapter"}, {"act", "restart"}, {"instance", "table"}})["ok"] == true);
  REQUIRE(eventually([&] { return site.adapter()["state"] == "running"; }));
}

TEST_CASE("a plugin whose configuration is refused is held back at once, with the reason") {
  Site site(R"([[adapter]]
instance = "table"
plugin = "odd_sink"
receive = { types = ["*"] }
config = { do = "refuse_config" }
)");
  site.start();
  REQUIRE(eventually([&] { return site.adapter()["state"] == "quarantined"; }));
  CHECK(site.adapter()["why"] == "configuration: do: refused by intent");
  CHECK(site.adapter()["starts"] == 1);
}

TEST_CASE("a plugin that speaks nonsense on its runner's socket loses the runner, the gate goes on") {
  Site site(R"([[adapter]]
instance = "table"
plugin = "odd_sink"
receive = { types = ["*"] }
config = { do = "forge" }
limits = { restarts = 1 }
)");
  site.start();
  REQUIRE(eventually([&] { return site.adapter()["state"] == "quarantined"; }));
  CHECK(site.ask({{"cmd", "publish"}, {"records", {draft("a"), draft("b", "urgent")}}})["all_accepted"] == true);
}

TEST_CASE("nobody becomes a runner without the token, and from the process that was given it") {
  Site site(kSource);
  site.start();
  auto client = must(link::BlockingLocalClient::connect(site.gate->config().socket(Lane::kRoutine)));
  Bytes frame;
  link::LocalHello hello;
  hello.role = link::LocalRole::kRunner;
  hello.instance = "station";
  hello.token = "guessed";
  hello.encode(frame);
  // It has said HELLO as a person already: a second one is no frame of the protocol.
  REQUIRE(client.send(frame));
  CHECK(client.next(std::chrono::seconds(30)).error().code == Code::kClosed);
}

TEST_CASE("people publish on both lanes through one socket, and are told of every fault") {
  Site site;
  site.start();
  json bad = draft("bad");
  bad["data_json"] = R"({"section":"laixi-gaodong"})";
  json nonsense = draft("x");
  nonsense["type"] = "thalweg.section.observatoin.v1";
  const json answer =
      site.ask({{"cmd", "publish"}, {"records", {draft("a"), draft("b", "urgent"), bad, draft("c"), nonsense}}});
  INFO(answer.dump(1));
  CHECK(answer["ok"] == true);
  CHECK(answer["all_accepted"] == false);
  const json& settled = answer["settled"];
  CHECK(settled[0]["answer"] == "accepted");
  CHECK(settled[1]["answer"] == "accepted");
  CHECK(settled[2]["answer"] == "rejected");
  CHECK(settled[2]["code"] == 105);
  CHECK(settled[3]["answer"] == "accepted");
  CHECK(settled[4]["code"] == 104);
  CHECK(site.outbox("routine")["records"] == 2);
  CHECK(site.outbox("urgent")["records"] == 1);

  const json listed = site.ask({{"cmd", "records"}});
  CHECK(listed["records"].size() == 3);
  CHECK(listed["complete"] == true);
  for (const json& record : listed["records"]) CHECK(record["state"] == "stored");
  CHECK(site.ask({{"cmd", "records"}, {"lane", "urgent"}})["records"].size() == 1);
  CHECK(site.ask({{"cmd", "records"}, {"limit", 1}})["complete"] == false);
  for (const Lane lane : {Lane::kRoutine, Lane::kUrgent}) {
    for (const json& record : listed["records"]) {
      const json shown = site.ask({{"cmd", "show"}, {"record", record["id"]}}, lane);
      CHECK(shown["record"]["id"] == record["id"]);
      CHECK(json::parse(shown["record"]["raw"].get<std::string>())["subject"] == "laixi-gaodong");
    }
  }
  CHECK(site.ask({{"cmd", "show"}, {"record", "01990000-0000-7000-8000-000000000000"}})["code"] == 12);
  CHECK(site.ask({{"cmd", "ack"}, {"record", listed["records"][0]["id"]}, {"officer", "张三"}})["code"] == 12);
  CHECK(site.ask({{"cmd", "deadletters"}, {"act", "list"}})["letters"].empty());
  CHECK(site.ask({{"cmd", "deadletters"}, {"act", "drop"}, {"id", "in-routine-9"}})["code"] == 12);
  CHECK(site.ask({{"cmd", "deadletters"}, {"act", "drop"}, {"id", "nonsense"}})["ok"] == false);
  CHECK(site.ask({{"cmd", "nonsense"}})["ok"] == false);
  CHECK(site.ask(json::array())["ok"] == false);
}

TEST_CASE("a second gate on the same folder is refused") {
  Site site;
  site.start();
  std::vector<gate::ConfigMistake> mistakes;
  auto config = must(gate::GateConfig::load(real_files(), site.folder / "gate.toml", mistakes));
  auto second = gate::Gate::start(real_files(), system_clock(), std::move(config), {});
  REQUIRE_FALSE(second);
  CHECK(second.error().code == Code::kLedgerLocked);
}

TEST_CASE("a gate without its keys does not start and says what makes them") {
  Site site;
  std::filesystem::remove(site.folder / "keys" / "signing.key");
  std::vector<gate::ConfigMistake> mistakes;
  auto config = must(gate::GateConfig::load(real_files(), site.folder / "gate.toml", mistakes));
  auto gate = gate::Gate::start(real_files(), system_clock(), std::move(config), {});
  REQUIRE_FALSE(gate);
  CHECK(gate.error().message.find("thalweg init gate") != std::string::npos);
}

TEST_CASE("a gate knows its own party before any hub speaks, and refuses papers of other keys or another gate") {
  Site site;
  const trust::SigningKey identity = trust::SigningKey::generate();
  trust::GateCertificate own;
  own.party = "510521";
  own.gate = "gate-1";
  own.serial = 1;
  own.identity = identity.public_key();
  own.signing = must(trust::SigningKey::load(site.folder / "keys" / "signing.key")).public_key();
  own.curve_z85 = must(trust::CurveKeyPair::load(site.folder / "keys" / "curve.key")).public_z85;
  own.valid_to_unix_ns = (system_clock().wall_unix_ns() / 1'000'000'000 + 86'400) * 1'000'000'000;  // whole seconds
  const auto papers = [&] {
    std::ofstream(site.folder / "keys" / "gate.cert") << must(trust::sign(own, identity)).document();
    std::vector<gate::ConfigMistake> mistakes;
    return gate::GatePapers::load(real_files(),
                                  must(gate::GateConfig::load(real_files(), site.folder / "gate.toml", mistakes)));
  };
  CHECK(must(papers()).identity == identity.public_key().fingerprint());
  site.start();
  site.gate.reset();
  std::ifstream pins(site.folder / "state" / "pins.json");
  CHECK(json::parse(pins)["510521"] == to_hex(identity.public_key().fingerprint()));

  own.gate = "gate-2";
  CHECK(papers().error().code == Code::kCertificateInvalid);
  own.gate = "gate-1";
  own.signing = trust::SigningKey::generate().public_key();
  CHECK(papers().error().code == Code::kCertificateInvalid);
}
