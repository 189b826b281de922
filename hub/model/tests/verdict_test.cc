#include "model/verdict.h"

#include <catch2/catch.hpp>

#include "model/decision.h"
#include "model/delivery.h"

namespace thalweg {
namespace {

ParcelVerdicts some_verdicts() {
  return {{{0, Code::kRecordSchema, "data.factors[0].value: 应为数值"},
           {3, Code::kMarkedUnverified, ""},
           {4095, Code::kNoAgreement, "no agreement"}}};
}

Bytes encoded(const ParcelVerdicts& verdicts) {
  Bytes out;
  verdicts.encode(out);
  return out;
}

}  // namespace

TEST_CASE("verdicts give back what they were made from", "[model]") {
  for (const ParcelVerdicts& verdicts : {some_verdicts(), ParcelVerdicts{}}) {
    const auto back = ParcelVerdicts::decode(encoded(verdicts));
    REQUIRE(back);
    CHECK(*back == verdicts);
  }
}

TEST_CASE("verdicts cut at any byte, or with a byte behind them, are refused", "[model]") {
  const Bytes whole = encoded(some_verdicts());
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const Bytes cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    CAPTURE(size);
    REQUIRE_FALSE(ParcelVerdicts::decode(cut));
    CHECK(ParcelVerdicts::decode(cut).error().code == Code::kParcelFormat);
  }
  Bytes longer = whole;
  longer.push_back(0);
  CHECK_FALSE(ParcelVerdicts::decode(longer));
}

TEST_CASE("verdicts with any byte changed are refused or read within bounds", "[model]") {
  const Bytes whole = encoded(some_verdicts());
  for (std::size_t i = 0; i < whole.size(); ++i) {
    for (int change = 1; change < 256; change += 17) {
      Bytes changed = whole;
      changed[i] = static_cast<std::uint8_t>(changed[i] ^ change);
      if (const auto verdicts = ParcelVerdicts::decode(changed)) CHECK(encoded(*verdicts) == changed);
    }
  }
}

TEST_CASE("verdicts out of order or said twice are refused", "[model]") {
  const auto of = [](std::initializer_list<std::uint16_t> indexes) {
    Bytes out;
    ByteWriter w(out);
    w.u16(static_cast<std::uint16_t>(indexes.size()));
    for (std::uint16_t index : indexes) {
      w.u16(index);
      w.i32(static_cast<std::int32_t>(Code::kNoAgreement));
      w.short_text("");
    }
    return out;
  };
  CHECK(ParcelVerdicts::decode(of({1, 2})));
  CHECK_FALSE(ParcelVerdicts::decode(of({2, 1})));
  CHECK_FALSE(ParcelVerdicts::decode(of({1, 1})));
  CHECK_FALSE(ParcelVerdicts::decode(of({4096})));
}

TEST_CASE("a long text is cut between two characters", "[model]") {
  std::string text(kMaxVerdictTextBytes - 1, 'x');
  text += "荣昌";
  const auto back = ParcelVerdicts::decode(encoded({{{0, Code::kRecordSchema, text}}}));
  REQUIRE(back);
  CHECK(back->exceptions[0].text == std::string(kMaxVerdictTextBytes - 1, 'x'));
}

TEST_CASE("the verdict on one record is found by its index", "[model]") {
  const ParcelVerdicts verdicts = some_verdicts();
  REQUIRE(verdicts.find(3) != nullptr);
  CHECK(verdicts.find(3)->code == Code::kMarkedUnverified);
  CHECK(verdicts.find(2) == nullptr);
  CHECK(verdicts.find(5000) == nullptr);
}

TEST_CASE("marks pass, everything else but OK is a refusal", "[model]") {
  CHECK(is_mark(Code::kClockOffset));
  CHECK(is_mark(Code::kFallbackRoute));
  CHECK_FALSE(is_refusal(Code::kMarkedUnverified));
  CHECK_FALSE(is_refusal(Code::kOk));
  CHECK(is_refusal(Code::kRecordSchema));
  CHECK(is_refusal(Code::kNoAgreement));
  CHECK(is_refusal(static_cast<Code>(987654)));
}

TEST_CASE("a decision gives back what it was made from, and is refused when cut", "[model]") {
  const Decision decision{{{"laixi-section-data", 3, 0, {{0, 2}, {5, 1}}, {"510521", "500111"}},
                           {"", 0, Grant::kFallback, {{3, 1}}, {"500111"}}},
                          {{"510521", 17}, {"500111", 4}}};
  Bytes bytes;
  decision.encode(bytes);
  ByteReader in(bytes);
  const auto back = Decision::decode(in);
  REQUIRE(back);
  CHECK(in.done());
  CHECK(*back == decision);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const Bytes cut(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
    ByteReader short_in(cut);
    CHECK_FALSE(Decision::decode(short_in));
  }
}

TEST_CASE("a delivery gives back what it was made from", "[model]") {
  const Bytes parcel{1, 2, 3};
  Delivery delivery;
  delivery.epoch = 1;
  delivery.sequence = 9;
  delivery.flags = Delivery::kPart;
  delivery.block = 41;
  delivery.block_unix_ns = 1'790'114'400'000'000'000;
  delivery.grants = {{"a", 1, 0, {{0, 4096}}, {}}};
  delivery.parcel = parcel;
  Bytes bytes;
  delivery.encode(bytes);
  const auto back = Delivery::decode(bytes);
  REQUIRE(back);
  CHECK(back->sequence == 9);
  CHECK(back->grants == delivery.grants);
  CHECK(Bytes(back->parcel.begin(), back->parcel.end()) == parcel);
  for (std::size_t size = 0; size + parcel.size() <= bytes.size(); ++size) {
    const Bytes cut(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
    CHECK_FALSE(Delivery::decode(cut));
  }
}

}  // namespace thalweg
