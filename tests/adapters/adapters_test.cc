// What the adapters make is what the schemas say, and what the schemas allow the adapters can show.
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>

#include <catch2/catch.hpp>
#include <filesystem>
#include <future>
#include <nlohmann/json.hpp>

#include "loaded_plugin.h"
#include "model/ids.h"
#include "model/record_builder.h"
#include "model/record_checker.h"
#include "player.h"
#include "testkit/fake_host.h"

using namespace thalweg;
using namespace thalweg::adapters;
using nlohmann::json;
using thalweg::testkit::FakeHost;
namespace fs = std::filesystem;

namespace {

struct Folder {
  Folder() {
    char pattern[] = "/tmp/thalweg-adapters-XXXXXX";
    path = mkdtemp(pattern);
  }
  ~Folder() { fs::remove_all(path); }
  fs::path path;
};

/// Makes the record that the gate would make, and checks it as the gate does.
void check(const Submission& record) {
  static const auto schemas = SchemaSet::load_builtin();
  REQUIRE(schemas);
  Draft draft;
  draft.id = record_id_for(1, "500153", "test", record.origin_key);
  draft.party = "500153";
  draft.type = record.type;
  draft.subject = record.subject;
  draft.time = record.time;
  draft.submitter = "test";
  draft.data_json = record.data;
  Bytes bytes;
  INFO(record.data);
  REQUIRE(build_record(draft, bytes));
  RecordChecker checker(*schemas);
  std::vector<Fault> faults;
  const auto envelope = checker.check_copy(bytes, faults);
  for (const Fault& fault : faults) INFO(fault.path << ": " << fault.message);
  CHECK(envelope);
  CHECK(faults.empty());
}

}  // namespace

TEST_CASE("the station's readings arrive as records that the gate takes, in order and with nothing changed",
          "[adapters]") {
  const Folder folder;
  const LoadedPlugin plugin("hj212");
  FakeHost host(plugin.open, {.kind = "source"});
  const std::string port_file = (folder.path / "port").string();
  REQUIRE(host.configure(R"({"listen":"127.0.0.1:0","port_file":")" + port_file +
                         R"(","stations":[{"mn":"A500226_0002","section":"laixi-gaodong"}]})"));
  REQUIRE(host.start());
  station::Options options;
  options.host = "127.0.0.1";
  options.port = content_of(port_file).substr(0, content_of(port_file).find('\n'));
  options.mn = "A500226_0002";
  options.wait_answers = true;
  const auto table = station::read_table(THALWEG_SOURCE_DIR "/examples/stations/gaodong.csv");
  REQUIRE(table);
  const std::atomic<bool> go_on{false};
  auto playing = std::async(std::launch::async, [&] { return station::play(options, *table, go_on); });
  REQUIRE(host.wait_submitted(9));
  host.settle_all();
  CHECK(playing.get().answered == 9);
  const auto records = host.accepted();
  REQUIRE(records.size() == 9);
  for (const Submission& record : records) check(record);
  CHECK(json::parse(records[7].data)["factors"].empty());
  const json last = json::parse(records[8].data);
  CHECK(records[8].time == "2026-09-23T06:00:00+08:00");
  CHECK(last["factors"][2]["code"] == "w01009");
  CHECK(last["factors"][2]["text"] == "2.82");
  host.stop();
  CHECK(host.breaches() == std::vector<std::string>{});
}

TEST_CASE("the published packets become records that the gate takes", "[adapters]") {
  const Folder folder;
  const LoadedPlugin plugin("hj212");
  FakeHost host(plugin.open, {.kind = "source"});
  const std::string port_file = (folder.path / "port").string();
  REQUIRE(
      host.configure(R"({"listen":"127.0.0.1:0","port_file":")" + port_file +
                     R"(","stations":[{"mn":"ZLDSZ20210127","section":"a"},{"mn":"NM100000_0005","section":"b"}]})"));
  REQUIRE(host.start());
  boost::asio::io_context io;
  boost::asio::ip::tcp::socket socket(io);
  socket.connect(
      {boost::asio::ip::address_v4::loopback(), static_cast<unsigned short>(std::stoi(content_of(port_file)))});
  const std::string packets = content_of(THALWEG_SOURCE_DIR "/plugins/hj212/testdata/packets.txt");
  boost::asio::write(socket, boost::asio::buffer(packets.substr(packets.find("\n##") + 1)));
  REQUIRE(host.wait_submitted(2));
  for (const Submission& record : host.submitted()) check(record);
  host.stop();
}

TEST_CASE("a table becomes records that the gate takes", "[adapters]") {
  const Folder folder;
  const LoadedPlugin plugin("tabular");
  FakeHost host(plugin.open, {.kind = "source"});
  json config = json::parse(content_of(THALWEG_SOURCE_DIR "/plugins/tabular/sample_source.json"));
  config["folder"] = folder.path.string();
  config["settle_ms"] = 0;
  REQUIRE(host.configure(config.dump()));
  REQUIRE(host.start());
  fs::copy_file(THALWEG_SOURCE_DIR "/plugins/tabular/testdata/cnemc.csv", folder.path / "cnemc.csv");
  REQUIRE(host.poll());
  CHECK(host.submitted().size() >= 8);
  for (const Submission& record : host.submitted()) check(record);
  host.stop();
}

TEST_CASE("every example of the schemas can be shown in a table", "[adapters]") {
  const Folder folder;
  const LoadedPlugin plugin("tabular");
  FakeHost host(plugin.open, {.kind = "sink"});
  REQUIRE(host.configure(R"({"folder":")" + folder.path.string() + "\"}"));
  REQUIRE(host.start());
  std::uint8_t number = 0;
  for (const auto& entry : fs::directory_iterator(THALWEG_SOURCE_DIR "/sdk/schemas/examples")) {
    const std::string stem = entry.path().stem().string();  // TYPE.CASE.json
    testkit::Given given;
    given.type = stem.substr(0, stem.rfind('.'));
    given.subject = "subject";
    given.data = content_of(entry.path().string());
    given.id[15] = ++number;
    const auto got = host.deliver({given});
    INFO(entry.path() << " " << got[0].reason);
    CHECK(got[0].verdict == TW_ACCEPTED);
  }
  CHECK(number > 5);
  host.stop();
  CHECK(host.breaches() == std::vector<std::string>{});
}
