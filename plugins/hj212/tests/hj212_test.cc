// The whole source, with real sockets and the host in memory.
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/streambuf.hpp>
#include <boost/asio/write.hpp>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "../packet.h"
#include "testkit/fake_host.h"

using namespace thalweg;
using thalweg::testkit::FakeHost;
namespace asio = boost::asio;

namespace {

struct Folder {
  Folder() {
    char pattern[] = "/tmp/thalweg-hj212-XXXXXX";
    path = mkdtemp(pattern);
  }
  ~Folder() { std::filesystem::remove_all(path); }
  std::filesystem::path path;
};

struct Bench {
  explicit Bench(const std::string& more = "", std::size_t room = 4096)
      : host(&thalweg_plugin_open, {.kind = "source", .room = room}) {
    REQUIRE(host.configure(R"({"listen":"127.0.0.1:0","port_file":")" + (folder.path / "port").string() + R"(",)" +
                           more + R"("stations":[{"mn":"A500226_0002","section":"gaodong"}]})"));
    REQUIRE(host.start());
    std::ifstream(folder.path / "port") >> port;
    REQUIRE(port > 0);
  }
  ~Bench() {
    host.stop();
    CHECK(host.breaches() == std::vector<std::string>{});
  }
  Folder folder;
  FakeHost host;
  unsigned short port = 0;
};

/// A station's side of the line.
struct Client {
  explicit Client(unsigned short port) : socket(io) { socket.connect({asio::ip::address_v4::loopback(), port}); }
  void send(const std::string& bytes) { asio::write(socket, asio::buffer(bytes)); }
  /// The next answer's data segment; empty when the line was closed.
  std::string answer() {
    boost::system::error_code error;
    const std::size_t bytes = asio::read_until(socket, input, "\r\n", error);
    if (error) return {};
    std::string line(bytes, '\0');
    input.sgetn(line.data(), static_cast<std::streamsize>(bytes));
    return line.substr(6, line.size() - 12);
  }
  asio::io_context io;
  asio::ip::tcp::socket socket;
  asio::streambuf input;
};

std::string packet(const std::string& qn, const std::string& cp, const std::string& cn = "2011",
                   const std::string& flag = "5", const std::string& mn = "A500226_0002",
                   const std::string& part = "") {
  return hj212::frame("QN=" + qn + ";ST=21;CN=" + cn + ";PW=123456;MN=" + mn + ";Flag=" + flag + part + ";CP=&&" + cp +
                      "&&");
}

const std::string kMoment = "DataTime=20260923060000;w01009-Rtd=2.82,w01009-Flag=N";

}  // namespace

TEST_CASE("a packet is answered only after the gate has it", "[hj212]") {
  Bench bench;
  Client station(bench.port);
  station.send(packet("20260923060001000", kMoment));
  REQUIRE(bench.host.wait_submitted(1));
  CHECK(station.socket.available() == 0);
  const Submission record = bench.host.submitted()[0];
  CHECK(record.type == "thalweg.section.observation.v1");
  CHECK(record.subject == "gaodong");
  CHECK(record.time == "2026-09-23T06:00:00+08:00");
  CHECK(record.origin_key == "A500226_0002/20260923060001000/2011/20260923060000");
  bench.host.settle_all();
  CHECK(station.answer() == "QN=20260923060001000;ST=91;CN=9014;PW=123456;MN=A500226_0002;Flag=4;CP=&&&&");
}

TEST_CASE("a packet that wants no answer gets none", "[hj212]") {
  Bench bench;
  Client station(bench.port);
  station.send(packet("1", kMoment, "2011", "4"));
  REQUIRE(bench.host.wait_submitted(1));
  bench.host.settle_all();
  station.send(packet("2", kMoment));
  REQUIRE(bench.host.wait_submitted(1));
  bench.host.settle_all();
  CHECK_THAT(station.answer(), Catch::StartsWith("QN=2;"));
}

TEST_CASE("a station that re-sends makes no second record", "[hj212]") {
  Bench bench;
  {
    Client station(bench.port);
    station.send(packet("1", kMoment));
    REQUIRE(bench.host.wait_submitted(1));
  }  // the line broke before the answer
  bench.host.settle_all();
  Client again(bench.port);
  again.send(packet("1", kMoment));
  REQUIRE(bench.host.wait_submitted(1));
  bench.host.settle_all();
  CHECK_THAT(again.answer(), Catch::StartsWith("QN=1;"));
  CHECK(bench.host.accepted().size() == 2);
  CHECK(bench.host.accepted_keys().size() == 1);
}

TEST_CASE("a refused record is not answered and does not stop the others", "[hj212]") {
  Bench bench;
  Client station(bench.port);
  station.send(packet("1", kMoment) + packet("2", kMoment));
  REQUIRE(bench.host.wait_submitted(2));
  bench.host.settle(1, TW_REJECTED, Code::kSectionUnknown, "section gaodong is not known");
  bench.host.settle_all();
  CHECK_THAT(station.answer(), Catch::StartsWith("QN=2;"));
  CHECK(bench.host.wait_log("section gaodong is not known"));
}

TEST_CASE("a record that the gate could not take is submitted again and then answered", "[hj212]") {
  Bench bench;
  Client station(bench.port);
  station.send(packet("1", kMoment));
  REQUIRE(bench.host.wait_submitted(1));
  bench.host.settle(1, TW_RETRY, Code::kDiskFull, "disk full");
  REQUIRE(bench.host.wait_submitted(1));
  bench.host.settle_all();
  CHECK_THAT(station.answer(), Catch::StartsWith("QN=1;"));
}

TEST_CASE("when the gate has no room nothing is lost and everything is answered", "[hj212]") {
  Bench bench(R"("max_waiting":4,)", /*room=*/2);
  Client station(bench.port);
  for (int i = 0; i < 50; ++i) station.send(packet(std::to_string(1000 + i), kMoment));
  for (int done = 0; done < 50;) {
    REQUIRE(bench.host.wait_submitted(1));
    const auto now = bench.host.submitted().size();
    CHECK(now <= 2);
    bench.host.settle(now);
    done += static_cast<int>(now);
  }
  for (int i = 0; i < 50; ++i) CHECK_THAT(station.answer(), Catch::StartsWith("QN=" + std::to_string(1000 + i) + ";"));
  CHECK(bench.host.accepted_keys().size() == 50);
}

TEST_CASE("a packet in parts is one record, and each part is answered once that is durable", "[hj212]") {
  Bench bench;
  Client station(bench.port);
  station.send(packet("1", "w21003-Rtd=0.079", "2011", "7", "A500226_0002", ";PNUM=2;PNO=2"));
  station.send(packet("1", kMoment, "2011", "7", "A500226_0002", ";PNUM=2;PNO=1"));
  REQUIRE(bench.host.wait_submitted(1));
  CHECK(station.socket.available() == 0);
  const auto data = nlohmann::json::parse(bench.host.submitted()[0].data);
  CHECK(data["factors"].size() == 2);
  bench.host.settle_all();
  CHECK_THAT(station.answer(), Catch::Contains("PNUM=2;PNO=1"));
  CHECK_THAT(station.answer(), Catch::Contains("PNUM=2;PNO=2"));
  CHECK(bench.host.accepted().size() == 1);
}

TEST_CASE("by option parts are answered as they come, for stations that wait for it", "[hj212]") {
  Bench bench(R"("split_answers":"each",)");
  Client station(bench.port);
  station.send(packet("1", kMoment, "2011", "7", "A500226_0002", ";PNUM=2;PNO=1"));
  CHECK_THAT(station.answer(), Catch::Contains("PNUM=2;PNO=1"));
  station.send(packet("1", "w21003-Rtd=0.079", "2011", "7", "A500226_0002", ";PNUM=2;PNO=2"));
  REQUIRE(bench.host.wait_submitted(1));
  bench.host.settle_all();
  CHECK_THAT(station.answer(), Catch::Contains("PNUM=2;PNO=2"));
}

TEST_CASE("faults are logged with the address, get no answer, and harm nobody else", "[hj212]") {
  Bench bench(R"("max_faults":3,)");
  Client bad(bench.port);
  Client good(bench.port);
  std::string flipped = packet("1", kMoment);
  flipped[30] ^= 1;
  bad.send(flipped);
  CHECK(bench.host.wait_log("127.0.0.1:" + std::to_string(bad.socket.local_endpoint().port()) + ": the checksum"));
  bad.send(packet("1", kMoment, "2011", "5", "A500226_0002") + "garbage" + flipped);
  REQUIRE(bench.host.wait_submitted(1));
  bench.host.settle_all();
  bad.send(std::string("##99x9"));
  CHECK_THAT(bad.answer(), Catch::StartsWith("QN=1;"));
  good.send(packet("2", kMoment));
  REQUIRE(bench.host.wait_submitted(1));
  bench.host.settle_all();
  CHECK_THAT(good.answer(), Catch::StartsWith("QN=2;"));
  const std::string fault = hj212::frame("QN=1;CN=2011;MN=A500226_0002;CP=&&nothing&&");
  bad.send(fault + fault + fault);  // at once: after the third the line may be gone
  CHECK(bad.answer().empty());      // closed after three faults in a row
  CHECK(bench.host.wait_log("too many faults in a row"));
}

TEST_CASE("unknown stations and other commands are not answered", "[hj212]") {
  Bench bench;
  Client station(bench.port);
  station.send(packet("1", kMoment, "2011", "5", "NOBODY"));
  station.send(packet("2", kMoment, "2021"));
  station.send(packet("3", "", "9014"));
  station.send(packet("4", "PolId=w01018", "1013"));
  CHECK_THAT(station.answer(), Catch::StartsWith("QN=4;ST=91;CN=9013"));  // a notice is answered as one
  CHECK(bench.host.wait_log("station NOBODY is not in the configuration"));
  CHECK(bench.host.submitted().empty());
}

TEST_CASE("a wrong password is not taken when one is configured", "[hj212]") {
  const Folder folder;
  std::ofstream(folder.path / "pw") << "654321\n";
  FakeHost host(&thalweg_plugin_open, {.kind = "source"});
  REQUIRE(host.configure(R"({"listen":"127.0.0.1:0","port_file":")" + (folder.path / "port").string() +
                         R"(","stations":[{"mn":"A500226_0002","section":"s","password_file":")" +
                         (folder.path / "pw").string() + R"("}]})"));
  REQUIRE(host.start());
  unsigned short port = 0;
  std::ifstream(folder.path / "port") >> port;
  Client station(port);
  station.send(packet("1", kMoment));
  CHECK(host.wait_log("wrong password"));
  CHECK(host.submitted().empty());
  for (const auto& line : host.log_lines()) CHECK_THAT(line.text, !Catch::Contains("123456"));
}

TEST_CASE("a connection that is idle or never completes a packet is closed", "[hj212]") {
  Bench impatient(R"("idle_ms":50,)");
  Client idle(impatient.port);
  CHECK(idle.answer().empty());
  // Of its own, so that a client that is slow to begin is not idle.
  Bench bench(R"("packet_ms":30,)");
  Client slow(bench.port);
  slow.send("##0100QN=");
  CHECK(slow.answer().empty());
  CHECK(bench.host.wait_log("a packet was not completed in time"));
}

TEST_CASE("connections beyond the limit are refused, and taken again when others leave", "[hj212]") {
  Bench bench(R"("max_connections":2,)");
  Client first(bench.port);
  auto second = std::make_unique<Client>(bench.port);
  second->send(packet("1", kMoment));
  REQUIRE(bench.host.wait_submitted(1));  // both are in
  Client third(bench.port);
  CHECK(third.answer().empty());
  CHECK(bench.host.wait_log("refused: there are 2 connections"));
}

TEST_CASE("an address that is taken is tried again, one that is none is final", "[hj212]") {
  Bench bench;
  FakeHost other(&thalweg_plugin_open, {.kind = "source"});
  REQUIRE(other.configure(R"({"listen":"127.0.0.1:)" + std::to_string(bench.port) +
                          R"(","stations":[{"mn":"A","section":"s"}]})"));
  const Status taken = other.start();
  REQUIRE_FALSE(taken);
  CHECK(taken.error().code == Code::kUnavailable);
  FakeHost third(&thalweg_plugin_open, {.kind = "source"});
  REQUIRE(third.configure(R"({"listen":"station.example:0","stations":[{"mn":"A","section":"s"}]})"));
  CHECK(third.start().error().code == Code::kConfig);
}

TEST_CASE("the source can be stopped with packets under way and started again", "[hj212]") {
  Bench bench;
  for (int round = 0; round < 3; ++round) {
    std::ifstream(bench.folder.path / "port") >> bench.port;
    Client station(bench.port);
    station.send(packet("1", kMoment));
    REQUIRE(bench.host.wait_submitted(1));
    bench.host.stop();
    CHECK(station.answer().empty());
    REQUIRE(bench.host.start());
  }
}

TEST_CASE("the published packets become records", "[hj212]") {
  const Folder folder;
  FakeHost host(&thalweg_plugin_open, {.kind = "source"});
  REQUIRE(host.configure(
      R"({"listen":"127.0.0.1:0","port_file":")" + (folder.path / "port").string() +
      R"(","stations":[{"mn":"ZLDSZ20210127","section":"a"},{"mn":"NM100000_0005","section":"b","units":{"w20115":"mg/L"}}]})"));
  REQUIRE(host.start());
  unsigned short port = 0;
  std::ifstream(folder.path / "port") >> port;
  Client station(port);
  std::ifstream file(PLUGIN_DIR "/testdata/packets.txt");
  for (std::string line; std::getline(file, line);)
    if (line.substr(0, 2) == "##") station.send(line + "\r\n");
  REQUIRE(host.wait_submitted(2));
  const auto records = host.submitted();
  CHECK(nlohmann::json::parse(records[0].data)["factors"].size() == 11);
  const auto hourly = nlohmann::json::parse(records[1].data);
  CHECK(hourly["factors"].size() == 15);
  CHECK(hourly["period"] == "PT1H");
  CHECK(hourly["time"] == "2020-11-29T21:00:01+08:00");
  CHECK(hourly["factors"][13]["unit"] == "mg/L");
}

TEST_CASE("the sample configuration loads", "[hj212][config]") {
  std::ifstream file(PLUGIN_DIR "/sample.json");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  FakeHost host(&thalweg_plugin_open, {.kind = "source"});
  CHECK(host.configure(text));
  CHECK(host.breaches() == std::vector<std::string>{});
}
