#include "../packet.h"

#include <catch2/catch.hpp>
#include <fstream>
#include <string>
#include <vector>

using namespace thalweg;
using namespace thalweg::hj212;

namespace {

std::vector<std::string> published() {
  std::ifstream file(PLUGIN_DIR "/testdata/packets.txt");
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);)
    if (line.substr(0, 2) == "##") lines.push_back(line);
  return lines;
}

std::string segment_of(const std::string& line) { return line.substr(6, line.size() - 10); }

struct Split {
  std::vector<std::string> segments;
  std::vector<Code> faults;
};
Split run(Framer& framer, std::string_view bytes) {
  std::vector<Framer::Found> found;
  framer.feed(bytes, found);
  Split split;
  for (auto& one : found) {
    if (one.fault)
      split.faults.push_back(one.fault->code);
    else
      split.segments.push_back(one.segment);
  }
  return split;
}

const std::string kGood =
    frame("QN=20260923060000000;ST=21;CN=2011;PW=1;MN=A;Flag=5;CP=&&DataTime=20260923060000;w01009-Rtd=2.82&&");

}  // namespace

TEST_CASE("the checksums of published packets are those of annex A", "[hj212][packet]") {
  const auto lines = published();
  REQUIRE(lines.size() == 4);
  for (const auto& line : lines) {
    INFO(line);
    Framer framer(kStandardSegmentBytes);
    const Split split = run(framer, line + "\r\n");
    REQUIRE(split.segments == std::vector<std::string>{segment_of(line)});
    CHECK(split.faults.empty());
    CHECK_FALSE(framer.in_packet());
  }
  CHECK(frame(segment_of(lines[0])) == lines[0] + "\r\n");
  CHECK(frame(segment_of(lines[1])) == lines[1] + "\r\n");
}

TEST_CASE("packets are found wherever the stream is cut", "[hj212][packet]") {
  std::string stream;
  for (const auto& line : published()) stream += line + "\r\n";
  stream += kGood;
  for (std::size_t step = 1; step <= 17; ++step) {
    Framer framer(kStandardSegmentBytes);
    Split all;
    for (std::size_t at = 0; at < stream.size(); at += step) {
      const Split some = run(framer, std::string_view(stream).substr(at, step));
      all.segments.insert(all.segments.end(), some.segments.begin(), some.segments.end());
      all.faults.insert(all.faults.end(), some.faults.begin(), some.faults.end());
    }
    CHECK(all.segments.size() == 5);
    CHECK(all.faults.empty());
  }
}

TEST_CASE("joined packets, with and without line ends, are all found", "[hj212][packet]") {
  Framer framer(kStandardSegmentBytes);
  const std::string bare = kGood.substr(0, kGood.size() - 2);
  const Split split = run(framer, bare + bare + bare + "\n" + kGood);
  CHECK(split.segments.size() == 4);
  CHECK(split.faults.empty());
}

TEST_CASE("a wrong checksum is one fault and the next packet is found", "[hj212][packet]") {
  std::string bad = kGood;
  bad[20] ^= 1;
  Framer framer(kStandardSegmentBytes);
  const Split split = run(framer, bad + kGood);
  CHECK(split.faults == std::vector<Code>{Code::kHj212Crc});
  CHECK(split.segments.size() == 1);
}

TEST_CASE("a packet cut short does not swallow the one behind it", "[hj212][packet]") {
  Framer framer(kStandardSegmentBytes);
  const Split split = run(framer, kGood.substr(0, 40) + kGood + kGood);
  CHECK(split.faults == std::vector<Code>{Code::kHj212Crc});
  CHECK(split.segments.size() == 2);
}

TEST_CASE("garbage is one fault however long it is, and is not kept", "[hj212][packet]") {
  Framer framer(kStandardSegmentBytes);
  std::size_t faults = 0;
  for (int i = 0; i < 1000; ++i) faults += run(framer, std::string(1000, 'x')).faults.size();
  CHECK(faults == 1);
  CHECK_FALSE(framer.in_packet());
  CHECK(run(framer, kGood).segments.size() == 1);
  CHECK(run(framer, "GET / HTTP/1.1\r\n\r\n").faults == std::vector<Code>{Code::kHj212Format});
}

TEST_CASE("a length that is no number or too large is refused before it is waited for", "[hj212][packet]") {
  for (const char* head : {"##abcdQN=1", "##9999QN=1", "##0000QN=1", "##1025QN=1", "##-001QN=1"}) {
    Framer framer(kStandardSegmentBytes);
    const Split split = run(framer, head + kGood);
    INFO(head);
    CHECK(split.faults == std::vector<Code>{Code::kHj212Format});
    CHECK(split.segments.size() == 1);
  }
  Framer framer(kStandardSegmentBytes);
  CHECK(run(framer, "#" + kGood).segments.size() == 1);  // "###": the mark one byte on
}

TEST_CASE("random bytes are survived", "[hj212][packet]") {
  std::uint32_t state = 2026;
  const auto next = [&] { return state = state * 1664525 + 1013904223; };
  Framer framer(kStandardSegmentBytes);
  std::vector<Framer::Found> found;
  for (int i = 0; i < 2000; ++i) {
    std::string bytes(next() % 300, '\0');
    for (char& c : bytes) c = "#0123456789QN=;&AB\r\n\xFF"[next() >> 8 & 15];
    found.clear();
    framer.feed(bytes, found);
    for (const auto& one : found)
      if (!one.fault) CHECK(parse_segment(one.segment).has_value() != parse_segment(one.segment + "\x01").has_value());
  }
}

TEST_CASE("a data segment is taken apart as the standard says", "[hj212][packet]") {
  const auto packet = parse_segment(segment_of(published()[2]));
  REQUIRE(packet);
  CHECK(packet->qn == "20210301111100112");
  CHECK(packet->cn == "2011");
  CHECK(packet->mn == "ZLDSZ20210127");
  CHECK(packet->flag == 8);
  CHECK_FALSE(packet->answer_wanted());
  REQUIRE(packet->fields.size() == 23);
  CHECK(packet->fields[0].key == "DataTime");
  CHECK(packet->fields[1].key == "w01001-Rtd");
  CHECK(packet->fields[1].value == "8.33");
  const auto empty = parse_segment(segment_of(published()[1]));
  REQUIRE(empty);
  CHECK(empty->answer_wanted());
  CHECK(empty->fields.empty());
}

TEST_CASE("a data segment that is none says what is wrong", "[hj212][packet]") {
  const std::pair<const char*, const char*> cases[] = {
      {"QN=1;CN=2011;MN=A;Flag=5", "CP=&& is missing"},
      {"QN=1;CN=2011;MN=A;Flag=5;CP=&&DataTime=1", "the closing && is missing"},
      {"QN=1;CN=2011;MN=A;Flag=5;CP=&&", "the closing && is missing"},
      {"QN=1;MN=A;Flag=5;CP=&&&&", "CN is missing"},
      {"QN=1;CN=2011;Flag=5;CP=&&&&", "MN is missing"},
      {"QN=1;CN=2011;MN=A/../b;Flag=5;CP=&&&&", "MN must be"},
      {"QN=1;CN=2011;MN=A;Flag=256;CP=&&&&", "Flag must be from 0 to 255"},
      {"QN=1;CN=2011;MN=A;Flag=7;PNUM=2;PNO=3;CP=&&&&", "PNO is larger than PNUM"},
      {"QN=1;CN=2011;MN=A;Flag=7;PNUM=65;PNO=1;CP=&&&&", "PNUM must be from 1 to 64"},
      {"QN=x;CN=2011;MN=A;Flag=5;CP=&&&&", "QN must be digits"},
      {"QN=1;CN=2011;MN=A;Flag=5;CP=&&w01009&&", "a parameter without name"},
      {"QN=1;CN=2011;MN=\xE6\xB0\xB4;Flag=5;CP=&&&&", "not printable ASCII"},
  };
  for (const auto& [segment, message] : cases) {
    const auto packet = parse_segment(segment);
    INFO(segment);
    REQUIRE_FALSE(packet);
    CHECK(packet.error().code == Code::kHj212Format);
    CHECK_THAT(packet.error().message, Catch::Contains(message));
  }
}

TEST_CASE("an answer bears the request's number, station and version", "[hj212][packet]") {
  auto packet =
      parse_segment("QN=20160801085857223;ST=32;CN=2051;PW=123456;MN=010000A8900016F000169DC0;Flag=5;CP=&&&&");
  REQUIRE(packet);
  CHECK(answer(*packet, "9014") ==
        frame("QN=20160801085857223;ST=91;CN=9014;PW=123456;MN=010000A8900016F000169DC0;Flag=4;CP=&&&&"));
  packet->flag = 7;
  packet->parts = 3;
  packet->part = 2;
  CHECK_THAT(answer(*packet, "9014"), Catch::Contains("Flag=6;PNUM=3;PNO=2;CP=&&&&"));
  packet->flag = 9;  // a station of the 2025 standard
  CHECK_THAT(answer(*packet, "9014"), Catch::Contains("Flag=8;CP="));
}
