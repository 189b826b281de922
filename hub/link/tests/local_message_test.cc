#include "link/local_message.h"

#include <catch2/catch.hpp>

namespace thalweg::link {
namespace {

/// What follows size and type; checks both.
ByteView body(const Bytes& frame, LocalType type) {
  REQUIRE(frame.size() >= 5);
  std::uint32_t size;
  std::memcpy(&size, frame.data(), sizeof size);
  REQUIRE(size == frame.size() - 4);
  REQUIRE(frame[4] == static_cast<std::uint8_t>(type));
  return ByteView(frame).subspan(5);
}

template <class Message>
Status decode_into(ByteView bytes) {
  Message m;
  return Message::decode(bytes, m);
}

/// Every beginning of a frame is refused, and so is a byte too many; without reading beyond the end (sanitizers).
void cut(const Bytes& frame, LocalType type, Status (*decode)(ByteView)) {
  const ByteView whole = body(frame, type);
  CHECK(decode(whole));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const Bytes part(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    CHECK_FALSE(decode(part));
  }
  Bytes longer(whole.begin(), whole.end());
  longer.push_back(0);
  CHECK_FALSE(decode(longer));
}

template <class Message>
Status decode_value(ByteView bytes) {
  const auto read = Message::decode(bytes);
  return read ? Status() : Status(read.error());
}

}  // namespace

TEST_CASE("drafts cross the local socket as they are", "[link][local]") {
  LocalSubmit sent;
  for (std::uint64_t i = 0; i < 300; ++i)
    sent.drafts.push_back({i, i % 2 ? Lane::kUrgent : Lane::kRoutine, "thalweg.section.observation.v1", "高洞电站",
                           "2026-09-23T06:00:00+08:00", i % 3 ? "" : "drill-1", "", "A500226_0002/2026-09-23T06",
                           R"({"factors":[]})"});
  Bytes frame;
  sent.encode(frame);
  LocalSubmit read;
  REQUIRE(LocalSubmit::decode(body(frame, LocalType::kSubmit), read));
  REQUIRE(read.drafts.size() == 300);
  CHECK(read.drafts[7].ticket == 7);
  CHECK(read.drafts[7].lane == Lane::kUrgent);
  CHECK(read.drafts[7].subject == "高洞电站");
  CHECK(read.drafts[3].exercise == "drill-1");
  CHECK(read.drafts[299].data == R"({"factors":[]})");
}

TEST_CASE("a local frame that is cut short or too long is refused", "[link][local]") {
  Bytes frame;
  SECTION("SUBMIT") {
    LocalSubmit{{{1, Lane::kRoutine, "t", "s", "2026-09-23T06:00:00Z", "", "", "k", "{}"}}}.encode(frame);
    cut(frame, LocalType::kSubmit, decode_into<LocalSubmit>);
  }
  SECTION("SETTLED") {
    LocalSettled{{{1, Answer::kRejected, Code::kRecordSchema, {}, "why"}}}.encode(frame);
    cut(frame, LocalType::kSettled, decode_into<LocalSettled>);
  }
  SECTION("LATER") {
    LocalLater{{{{}, Code::kNoAgreement, "key", "why"}}}.encode(frame);
    cut(frame, LocalType::kLater, decode_into<LocalLater>);
  }
  SECTION("DELIVER") {
    const Bytes record{1, 2, 3};
    LocalDeliver{9, 1000, {{1, 0, record}, {2, 1, record}}}.encode(frame);
    cut(frame, LocalType::kDeliver, decode_into<LocalDeliver>);
  }
  SECTION("VERDICTS") {
    LocalVerdicts{9, {{Answer::kAccepted, Code::kOk, ""}}}.encode(frame);
    cut(frame, LocalType::kVerdicts, decode_into<LocalVerdicts>);
  }
  SECTION("HELLO") {
    LocalHello hello;
    hello.instance = "hj212";
    hello.token = "token";
    hello.encode(frame);
    cut(frame, LocalType::kHello, decode_value<LocalHello>);
  }
  SECTION("LOG") {
    LocalLog{3, "text"}.encode(frame);
    cut(frame, LocalType::kLog, decode_value<LocalLog>);
  }
  SECTION("STOP") {
    LocalStop{500}.encode(frame);
    cut(frame, LocalType::kStop, decode_value<LocalStop>);
  }
  SECTION("REQUEST and REPLY without their head") {
    CHECK_FALSE(LocalRequest::decode(Bytes(7)));
    CHECK_FALSE(LocalReply::decode(Bytes(8)));
    CHECK_FALSE(LocalReply::decode(Bytes{0, 0, 0, 0, 0, 0, 0, 0, 2}));
  }
}

TEST_CASE("a count that the bytes cannot hold reserves nothing", "[link][local]") {
  LocalSubmit submit;
  CHECK_FALSE(LocalSubmit::decode(Bytes{0xff, 0xff}, submit));
  CHECK(submit.drafts.capacity() == 0);
}

TEST_CASE("another version of the local protocol is named", "[link][local]") {
  const auto read = LocalHello::decode(Bytes{9, 0, 1, 0, 0, 0, 0, 0});
  REQUIRE(!read);
  CHECK(read.error().code == Code::kLinkVersion);
}

}  // namespace thalweg::link
