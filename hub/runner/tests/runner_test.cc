// runner_test.cc: the real thalweg-runner process under a gate that the test plays, with plugins that misbehave.
#include <sys/stat.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <fstream>
#include <nlohmann/json.hpp>

#include "link/local_socket.h"
#include "model/record_builder.h"
#include "runner/library.h"
#include "runner/runner.h"
#include "runner_process.h"
#include "support/sample_records.h"
#include "support/temp_folder.h"

using namespace thalweg;
using nlohmann::json;

namespace {

/// A gate as far as one runner sees it.
class PlayedGate {
 public:
  PlayedGate() {
    link::LocalEvents events;
    events.on_frame = [this](const link::LocalConnectionRef& connection, link::LocalType type, ByteView body) {
      on_frame(connection, type, body);
    };
    events.on_closed = [this](const link::LocalConnectionRef&, Code) { ended = true; };
    auto made = link::LocalServer::listen(io, folder / "s", 0600, {}, std::move(events));
    REQUIRE(made);
    server = *std::move(made);
  }
  void run(const std::string& library, const std::string& kind, const std::string& config) {
    start = {{"library", library},
             {"kind", kind},
             {"instance", "test"},
             {"party", "510521"},
             {"lane", "routine"},
             {"config", config},
             {"limits", {{"memory_bytes", 256 << 20}, {"open_files", 64}}}};
    process.start(THALWEG_BIN_DIR "/thalweg-runner",
                  {"--socket", (folder / "s").string(), "--lane", "routine", "--instance", "test", "--token-fd", "3"},
                  "one-time");
  }
  /// Runs the gate's loop until `done`; the runner's frames and its end wake it.
  void until(const std::function<bool()>& done) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(120);
    while (!done()) {
      REQUIRE(std::chrono::steady_clock::now() < end);
      io.run_for(std::chrono::milliseconds(10));
      io.restart();
    }
  }
  void deliver(std::size_t count, std::uint32_t deadline_ms = 5000) {
    link::LocalDeliver deliver;
    deliver.batch = 1;
    deliver.deadline_ms = deadline_ms;
    std::vector<Bytes> records;
    for (std::size_t i = 0; i < count; ++i) records.push_back(samples::observation("500153", std::to_string(i)));
    for (const Bytes& record : records) deliver.records.push_back({1, 0, record});
    Bytes frame;
    deliver.encode(frame);
    REQUIRE(peer->send(std::move(frame)));
  }

  TempFolder folder;
  boost::asio::io_context io;
  std::unique_ptr<link::LocalServer> server;
  link::LocalConnectionRef peer;
  RunnerProcess process;
  json start;
  std::string token, state, message;
  bool exercise_aware = false, ended = false;
  std::vector<std::pair<link::Answer, std::string>> verdicts;
  std::vector<Code> codes;
  std::vector<std::pair<std::string, std::string>> reports;  // every state with its message
  std::vector<std::string> lines;
  std::function<void(const link::LocalSubmit&)> on_submit;

 private:
  void on_frame(const link::LocalConnectionRef& connection, link::LocalType type, ByteView body) {
    peer = connection;
    if (type == link::LocalType::kHello) {
      auto hello = link::LocalHello::decode(body);
      REQUIRE(hello);
      token = hello->token;
      const std::string text = start.dump();
      link::LocalReply reply;
      reply.json = text;
      Bytes frame;
      reply.encode(frame);
      connection->send(std::move(frame));
    } else if (type == link::LocalType::kRequest) {
      auto request = link::LocalRequest::decode(body);
      REQUIRE(request);
      const json report = json::parse(request->json);
      state = report["state"];
      message = report["message"];
      reports.emplace_back(state, message);
      exercise_aware = report["exercise_aware"];
    } else if (type == link::LocalType::kVerdicts) {
      link::LocalVerdicts all;
      REQUIRE(link::LocalVerdicts::decode(body, all));
      for (const auto& one : all.verdicts) {
        verdicts.emplace_back(one.answer, std::string(one.reason));
        codes.push_back(one.code);
      }
    } else if (type == link::LocalType::kLog) {
      auto line = link::LocalLog::decode(body);
      REQUIRE(line);
      lines.emplace_back(line->text);
    } else if (type == link::LocalType::kSubmit && on_submit) {
      link::LocalSubmit submit;
      REQUIRE(link::LocalSubmit::decode(body, submit));
      on_submit(submit);
    }
  }
};

std::string plugin(const std::string& name) { return TEST_PLUGINS "/" + name + "/" + name + ".so"; }

}  // namespace

TEST_CASE("a sink is opened, started and given records, it ends when told") {
  PlayedGate gate;
  gate.run(plugin("odd_sink"), "sink", R"({"do":"accept"})");
  gate.until([&] { return gate.state == "running"; });
  CHECK(gate.token == "one-time");
  CHECK(gate.exercise_aware);
  gate.deliver(3);
  gate.until([&] { return gate.verdicts.size() == 3; });
  for (const auto& [answer, reason] : gate.verdicts) CHECK(answer == link::Answer::kAccepted);
  CHECK(gate.lines == std::vector<std::string>{"delivered"});
  gate.process.signal(SIGTERM);
  gate.until([&] { return gate.ended; });
  CHECK(gate.process.wait() == 0);
}

TEST_CASE("a forgotten verdict is a retry") {
  PlayedGate gate;
  gate.run(plugin("odd_sink"), "sink", R"({"do":"forget"})");
  gate.until([&] { return gate.state == "running"; });
  gate.deliver(3);
  gate.until([&] { return gate.verdicts.size() == 3; });
  CHECK(gate.verdicts[0].first == link::Answer::kAccepted);
  CHECK(gate.verdicts[1].first == link::Answer::kRetry);
  CHECK(gate.codes[1] == Code::kUnavailable);
}

TEST_CASE("what a plugin throws ends in the runner: its records are retried, its contract is broken") {
  PlayedGate gate;
  gate.run(plugin("odd_sink"), "sink", R"({"do":"throw"})");
  gate.until([&] { return gate.state == "running"; });
  gate.deliver(2);
  gate.until([&] { return gate.verdicts.size() == 2; });
  CHECK(gate.verdicts[0].first == link::Answer::kRetry);
  CHECK(gate.verdicts[0].second == "deliver() threw: the sink threw");
  CHECK(gate.codes[0] == Code::kInternal);
  REQUIRE_FALSE(gate.lines.empty());
  CHECK(gate.lines[0].find("contract broken by the plugin") == 0);
}

TEST_CASE("a plugin that crashes takes only its own process along") {
  PlayedGate gate;
  gate.run(plugin("odd_sink"), "sink", R"({"do":"crash"})");
  gate.until([&] { return gate.state == "running"; });
  gate.deliver(1);
  gate.until([&] { return gate.ended; });
  CHECK(gate.process.wait() == -SIGABRT);
  CHECK(gate.verdicts.empty());
}

TEST_CASE("a plugin that hangs is ended by its runner", "[slow]") {
  PlayedGate gate;
  gate.run(plugin("odd_sink"), "sink", R"({"do":"hang"})");
  gate.until([&] { return gate.state == "running"; });
  gate.deliver(1, 100);
  gate.until([&] { return gate.ended; });
  CHECK(gate.process.wait() == runner::kExitHangs);
}

TEST_CASE("a far side that sleeps is tried again on the same instance, a bad configuration is final") {
  PlayedGate gate;
  SECTION("unavailable") {
    gate.run(plugin("odd_sink"), "sink", R"({"do":"unavailable"})");
    gate.until([&] { return gate.state == "running"; });
    CHECK(std::count(gate.reports.begin(), gate.reports.end(),
                     std::pair<std::string, std::string>("connecting", "the far side sleeps")) > 0);
  }
  SECTION("configuration") {
    gate.run(plugin("odd_sink"), "sink", R"({"do":"refuse_config"})");
    gate.until([&] { return gate.ended; });
    CHECK(gate.state == "failed");
    CHECK(gate.message == "configuration: do: refused by intent");
    CHECK(gate.process.wait() == runner::kExitConfig);
  }
  SECTION("no such library") {
    gate.run("/nowhere/x.so", "sink", "{}");
    gate.until([&] { return gate.ended; });
    CHECK(gate.state == "failed");
    CHECK(gate.process.wait() == runner::kExitConfig);
  }
  SECTION("a source asked of a sink") {
    gate.run(plugin("odd_sink"), "source", "{}");
    gate.until([&] { return gate.ended; });
    CHECK(gate.message.find("is no source") != std::string::npos);
  }
}

TEST_CASE("a library or a folder that others can change is refused, with what to type") {
  TempFolder folder;
  const Path file = folder / "x.so";
  std::ofstream(file) << "x";
  ::chmod(file.c_str(), 0644);
  CHECK(runner::check_rights(file));
  ::chmod(file.c_str(), 0664);
  REQUIRE_FALSE(runner::check_rights(file));
  CHECK(runner::check_rights(file).error().message.find("chmod go-w") != std::string::npos);
  ::chmod(file.c_str(), 0644);
  ::chmod(folder.path().c_str(), 0777);
  CHECK_FALSE(runner::check_rights(file));
}

TEST_CASE("a source submits more than there is room for, and hears of every record once") {
  PlayedGate gate;
  std::map<std::uint64_t, int> tickets;
  std::size_t most_open = 0, open = 0;
  std::vector<std::uint64_t> waiting;
  gate.on_submit = [&](const link::LocalSubmit& submit) {
    for (const auto& draft : submit.drafts) {
      ++tickets[draft.ticket];
      waiting.push_back(draft.ticket);
    }
    open += submit.drafts.size();
    most_open = std::max(most_open, open);
  };
  gate.run(plugin("counting_source"), "source", R"({"count": 20000})");
  const auto answer = [&] {
    for (std::size_t at = 0; at < waiting.size();) {
      link::LocalSettled settled;
      for (; at < waiting.size() && settled.settled.size() < 1000; ++at) {
        settled.settled.push_back({waiting[at], link::Answer::kAccepted, Code::kOk, {}, {}});
      }
      Bytes frame;
      settled.encode(frame);
      gate.peer->send(std::move(frame));
    }
    open -= waiting.size();
    waiting.clear();
  };
  while (tickets.size() < 20000) {
    const std::size_t before = tickets.size();
    gate.until([&] { return tickets.size() > before; });
    if (!waiting.empty()) answer();
  }
  if (!waiting.empty()) answer();
  gate.until([&] { return !gate.lines.empty(); });
  CHECK(gate.lines[0] == "accepted 20000 repeated 0 rejected 0");
  CHECK(most_open <= 8192);
  for (const auto& [ticket, times] : tickets) CHECK(times == 1);
}

TEST_CASE("records that have to come again are not offered again at once") {
  PlayedGate gate;
  std::vector<std::chrono::steady_clock::time_point> offered;
  gate.on_submit = [&](const link::LocalSubmit& submit) {
    offered.push_back(std::chrono::steady_clock::now());
    link::LocalSettled settled;
    for (const auto& draft : submit.drafts)
      settled.settled.push_back(
          {draft.ticket, offered.size() > 4 ? link::Answer::kAccepted : link::Answer::kRetry, Code::kOk, {}, {}});
    Bytes frame;
    settled.encode(frame);
    gate.peer->send(std::move(frame));
  };
  gate.run(plugin("counting_source"), "source", R"({"count": 10})");
  gate.until([&] { return !gate.lines.empty(); });
  CHECK(gate.lines[0] == "accepted 10 repeated 0 rejected 0");
  REQUIRE(offered.size() >= 5);
  CHECK(offered[4] - offered[0] > std::chrono::milliseconds(700));
}

TEST_CASE("a runner whose gate goes away ends") {
  PlayedGate gate;
  gate.run(plugin("odd_sink"), "sink", "{}");
  gate.until([&] { return gate.state == "running"; });
  gate.peer->close();
  gate.until([&] { return gate.ended; });
  CHECK(gate.process.wait() == runner::kExitUnavailable);
}
