#include "link/message.h"

#include <catch2/catch.hpp>

#include "link/session_state.h"

namespace thalweg::link {
namespace {

Hello a_hello() {
  Hello m;
  m.session = {1, 2, 3};
  m.party = "500153";
  m.gate = "gate-1";
  m.lane = Lane::kUrgent;
  m.incarnation = Uuid{{9}};
  m.outbox_head = 7;
  m.inbox_fresh = true;
  m.wall_unix_ns = 1'790'114'400'000'000'000;
  m.credit_bytes = 8u << 20;
  m.partial = {3, 65536, 0x12345678};
  m.program = "thalweg-gate 0.1.0";
  return m;
}

template <class M>
Bytes bytes_of(const M& m) {
  Bytes out;
  m.encode(out);
  return out;
}

/// Encode, decode, encode again: the same bytes. Every beginning and one byte more are refused; any single byte changed
/// is either refused or reads as something that encodes to those bytes: nothing is skipped.
template <class M>
void round(const M& m, std::size_t open_end = 0) {
  const Bytes bytes = bytes_of(m);
  const auto read = M::decode(bytes);
  REQUIRE(read);
  CHECK(bytes_of(*read) == bytes);
  for (std::size_t size = 0; size + open_end < bytes.size(); ++size) {
    const Bytes part(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
    REQUIRE_FALSE(M::decode(part));
  }
  if (open_end == 0) {
    Bytes longer = bytes;
    longer.push_back(0);
    CHECK_FALSE(M::decode(longer));
  }
  for (std::size_t i = 0; i < bytes.size(); ++i)
    for (const std::uint8_t flip : {0x01, 0x80, 0xff}) {
      Bytes other = bytes;
      other[i] ^= flip;
      if (const auto changed = M::decode(other)) REQUIRE(bytes_of(*changed) == other);
    }
}

}  // namespace

TEST_CASE("every message reads back as it was written and is refused when cut", "[link][message]") {
  SECTION("HELLO") { round(a_hello()); }
  SECTION("WELCOME") {
    Welcome m;
    m.accepted_head = 41;
    m.checkpoint = Bytes(160, 7);
    m.progress = {{"510521", 40, 39}, {"500111", 0, 0}};
    round(m);
  }
  SECTION("REFUSE") { round(Refuse{Code::kKeyRevoked, 5000, "revoked"}); }
  SECTION("ACK") {
    Ack m;
    m.number = 9;
    m.code = Code::kParcelGap;
    m.text = "number 8 is missing";
    m.verdicts = {1, 2, 3};
    m.decision = {4};
    round(m);
  }
  SECTION("CREDIT") { round(Credit{1u << 30}); }
  SECTION("SETTLE") {
    Settle m;
    m.sequence = 12;
    m.taken = 10;
    m.dead = 1;
    m.algorithm = 1;
    m.signature = Bytes(64, 5);
    round(m);
  }
  SECTION("PROGRESS") { round(Progress{"510521", 5, 4}); }
  SECTION("LOOKUP") { round(Lookup{3, {Uuid{{1}}, Uuid{{2}}}, {1, 2, 3}}); }
  SECTION("FOUND") { round(Found{3, {{true, 9, {}}}, {{false, 0, {}}}}); }
  SECTION("DOCUMENT") { round(Document{Document::Kind::kCertificate, {1, 2, 3}}, 3); }
  SECTION("PING") { round(Ping{4, 5}); }
  SECTION("PONG") { round(Pong{4, 5, 6, 7}); }
  SECTION("BYE") { round(Bye{Code::kLinkReplaced, "a newer session"}); }
  SECTION("CHUNK") {
    const Bytes payload(10, 1);
    Chunk m;
    m.number = 5;
    m.total = 100;
    m.offset = 90;
    m.bytes = payload;
    round(m, 9);
  }
}

TEST_CASE("a chunk that reaches beyond its transfer, is empty or too large is refused", "[link][message]") {
  Bytes payload(100);
  Chunk m;
  m.total = 150;
  m.offset = 60;
  m.bytes = payload;
  CHECK_FALSE(Chunk::decode(bytes_of(m)));
  m.offset = 0xffffffff;
  CHECK_FALSE(Chunk::decode(bytes_of(m)));
  m.offset = 0;
  m.bytes = {};
  CHECK_FALSE(Chunk::decode(bytes_of(m)));
  payload.resize(kMaxChunkBytes + 1);
  m.total = 1u << 20;
  m.bytes = payload;
  CHECK_FALSE(Chunk::decode(bytes_of(m)));
}

TEST_CASE("another version of the link is named before anything else is read", "[link][message]") {
  const auto read = Hello::decode(Bytes{'W', 1, 0, 0, 2, 0, 0xff, 0xff});
  REQUIRE(!read);
  CHECK(read.error().code == Code::kLinkVersion);
}

TEST_CASE("a HELLO whose names are no codes is refused", "[link][message]") {
  Hello m = a_hello();
  m.party = "500153/x";
  CHECK_FALSE(Hello::decode(bytes_of(m)));
}

TEST_CASE("a list that claims more than the message holds reserves nothing", "[link][message]") {
  Bytes bytes = bytes_of(Lookup{1, {}, {}});
  bytes[12] = 0xff;  // 255 records
  CHECK_FALSE(Lookup::decode(bytes));
}

TEST_CASE("a text for people that is too long is cut between characters", "[link][message]") {
  std::string text;
  while (text.size() < kMaxTextBytes + 10) text += "深";
  const auto read = Bye::decode(bytes_of(Bye{Code::kClosed, text}));
  REQUIRE(read);
  CHECK(read->text.size() <= kMaxTextBytes);
  CHECK(read->text.size() % 3 == 0);
}

TEST_CASE("bytes that are no message of the link are told from those that are", "[link][message]") {
  CHECK_FALSE(message_type({}));
  CHECK_FALSE(message_type(Bytes{'W', 0, 0, 0}));
  CHECK_FALSE(message_type(Bytes{'W', 15, 0, 0}));
  CHECK_FALSE(message_type(Bytes{'W', 1, 1, 0}));
  CHECK_FALSE(message_type(as_bytes("GET / HTTP/1.1\r\n")));
  CHECK(*message_type(Bytes{'W', 14, 0, 0}) == MessageType::kBye);
}

TEST_CASE("what only one side may say is refused by that side in every state", "[link][message]") {
  for (const HubState state : {HubState::kNew, HubState::kGreeted, HubState::kOpen})
    for (const MessageType type : {MessageType::kWelcome, MessageType::kRefuse, MessageType::kAck,
                                   MessageType::kProgress, MessageType::kFound, MessageType::kDocument})
      CHECK(rule(state, type) == Rule::kFault);
  for (const GateState state : {GateState::kConnecting, GateState::kGreeting, GateState::kOpen})
    for (const MessageType type : {MessageType::kHello, MessageType::kSettle, MessageType::kLookup})
      CHECK(rule(state, type) == Rule::kFault);
}

}  // namespace thalweg::link
