// docs/formats/link.md is decoded and compared: its examples and its tables of states.
#include <catch2/catch.hpp>
#include <fstream>
#include <sstream>

#include "link/message.h"
#include "link/session_state.h"

namespace thalweg::link {
namespace {

std::vector<std::string> page() {
  std::ifstream in(std::string(THALWEG_SOURCE_DIR) + "/docs/formats/link.md");
  REQUIRE(in);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

Bytes example(const std::string& name) {
  std::string digits;
  bool inside = false;
  for (const std::string& line : page()) {
    if (inside && line == "```") break;
    if (inside)
      for (const char c : line.substr(0, line.find(';')))
        if (c != ' ') digits += c;
    if (line == "```hex " + name) inside = true;
  }
  const auto bytes = from_hex(digits);
  REQUIRE(bytes);
  REQUIRE_FALSE(bytes->empty());
  return *bytes;
}

/// The example reads, and what was read gives the example's bytes.
template <class M>
M decoded(const std::string& name) {
  const Bytes bytes = example(name);
  const auto read = M::decode(bytes);
  REQUIRE(read);
  Bytes again;
  read->encode(again);
  CHECK(to_hex(again) == to_hex(bytes));
  return *read;
}

/// The cells of a table row.
std::vector<std::string> cells(const std::string& line) {
  std::vector<std::string> out;
  std::istringstream in(line);
  std::string cell;
  std::getline(in, cell, '|');
  while (std::getline(in, cell, '|')) {
    const auto first = cell.find_first_not_of(' ');
    out.push_back(first == std::string::npos ? "" : cell.substr(first, cell.find_last_not_of(' ') - first + 1));
  }
  return out;
}

void compare_table(const std::string& side, const std::array<RuleRow, 3>& rules) {
  const std::vector<std::string> lines = page();
  for (std::size_t i = 0; i + 4 < lines.size(); ++i) {
    if (!lines[i].starts_with("| " + side + " | HELLO")) continue;
    const auto names = cells(lines[i]);
    REQUIRE(names.size() == kLastMessageType + 1u);
    for (std::size_t type = 1; type <= kLastMessageType; ++type)
      CHECK(names[type] == name(static_cast<MessageType>(type)));
    for (std::size_t state = 0; state < rules.size(); ++state) {
      const auto row = cells(lines[i + 2 + state]);
      REQUIRE(row.size() == names.size());
      for (std::size_t type = 1; type <= kLastMessageType; ++type) {
        INFO(side << " " << row[0] << " " << names[type]);
        CHECK((row[type] == "yes") == (rules[state][type] == Rule::kTake));
      }
    }
    return;
  }
  FAIL("no table of the " << side << "'s states");
}

}  // namespace

TEST_CASE("the examples of link.md decode to what the page says", "[link][docs]") {
  const Hello hello = decoded<Hello>("hello");
  CHECK(hello.party == "500153");
  CHECK(hello.gate == "rongchang-1");
  CHECK(hello.outbox_head == 7);
  CHECK(hello.inbox_fresh);
  CHECK(hello.credit_bytes == 8u << 20);
  CHECK(hello.program == "thalweg-gate 0.1.0");
  const Welcome welcome = decoded<Welcome>("welcome");
  CHECK(welcome.session == hello.session);
  CHECK(welcome.accepted_head == 5);
  CHECK(welcome.heartbeat_ms == 5000);
  CHECK(welcome.partial.number == 6);
  CHECK(welcome.partial.offset == 65536);
  REQUIRE(welcome.progress.size() == 1);
  CHECK(welcome.progress[0] == Progress{"510521", 5, 4});
  const Bytes bytes = example("chunk");
  const auto chunk = Chunk::decode(bytes);
  REQUIRE(chunk);
  CHECK(chunk->number == 6);
  CHECK(chunk->offset == 65536);
  CHECK(chunk->bytes.size() == 5);
  CHECK(decoded<Ack>("ack").block == 42);
  CHECK(decoded<Credit>("credit").limit_bytes == 400'000);
  CHECK(decoded<Ping>("ping").count == 1);
  CHECK(decoded<Bye>("bye").code == Code::kLinkReplaced);
}

TEST_CASE("the tables of states in link.md are those of the code", "[link][docs]") {
  compare_table("hub", rules::kHub);
  compare_table("gate", rules::kGate);
}

TEST_CASE("the limits that link.md names are those of the code", "[link][docs]") {
  CHECK(kMaxToHubBytes == 66'560);
  CHECK(kMaxToGateBytes == 6u << 20);
  CHECK(kMaxChunkBytes == 65'536);
  CHECK(kMaxParcelTransferBytes == (4u << 20) + (64u << 10));
  CHECK(kMaxDeliveryTransferBytes == 8u << 20);
  CHECK(Chunk::kHeaderBytes == 25);
}

}  // namespace thalweg::link
