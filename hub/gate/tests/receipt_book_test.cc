// receipt_book_test.cc: who signed for a record stays known, however much others write about it.
#include <catch2/catch.hpp>

#include "inbox_fixture.h"

using namespace thalweg;
using namespace thalweg::gate;
using namespace thalweg::gate::test;

namespace {

const RecordId kAbout = *Uuid::parse("01997c2a-7b10-7cc3-98c4-dc0c0c07398f");

Bytes receipt(const std::string& party, const std::string& stage, const std::string& measures = {}) {
  std::string data = R"({"record":")" + kAbout.text() + R"(","stage":")" + stage + R"(","party":")" + party +
                     R"(","officer":"周敏","by":"console","at":"2026-09-23T08:00:00+08:00")";
  if (!measures.empty()) data += R"(,"measures":")" + measures + "\"";
  return samples::record(party, std::string(kReceiptType), "2026-0923-01", data + "}", Lane::kRoutine,
                         stage + measures);
}

}  // namespace

TEST_CASE("who reports measures without end takes little memory, and signatures and the newest measures stay known") {
  InboxBench bench;
  must(bench.open());
  bench.welcome(1, 1);
  must(bench.deliver(1, bench.sealed(1, {receipt("500153", "signed"), receipt("500111", "signed"),
                                         receipt("500111", "measures", "已通知取水口")})));
  constexpr std::uint64_t kReports = 100;
  const auto report = [](std::uint64_t number) { return std::to_string(number) + std::string(19'990, 'x'); };
  for (std::uint64_t n = 2; n <= kReports; ++n)
    must(bench.deliver(n, bench.sealed(n, {receipt("500153", "measures", report(n))})));
  SECTION("as it goes") {}
  SECTION("after a start") {
    bench.close();
    must(bench.open());
  }

  Bytes snapshot;
  bench.receipts->encode(Lane::kRoutine, snapshot);
  CHECK(snapshot.size() < 5'000);
  const std::vector<Receipt> found = bench.receipts->find(kAbout);
  REQUIRE(found.size() == 3 + ReceiptBook::kMostOfParty);
  CHECK(found[0].party == "500153");
  CHECK(found[0].stage == "signed");
  CHECK(found[0].officer == "周敏");
  CHECK(found[1].party == "500111");
  CHECK(found[1].stage == "signed");
  CHECK(found[2].measures == "已通知取水口");
  CHECK(found.back().measures == report(kReports));
}

TEST_CASE("receipts in a snapshot of a version that kept their measures there are still shown") {
  Bytes old;
  ByteWriter writer(old);
  writer.u64(1);
  writer.raw(kAbout.bytes);
  writer.raw(RecordId{}.bytes);
  for (const char* text : {"500153", "measures", "周敏", "console", "2026-09-23T08:00:00+08:00", ""})
    writer.short_text(text);
  writer.blob(as_bytes(std::string_view("已通知取水口")));
  ReceiptBook book;
  ByteReader in(old);
  REQUIRE(book.decode(Lane::kRoutine, in));
  Bytes stored;
  book.encode(Lane::kRoutine, stored);
  ByteReader again(stored);
  REQUIRE(book.decode(Lane::kRoutine, again));
  CHECK(again.done());
  REQUIRE(book.find(kAbout).size() == 1);
  CHECK(book.find(kAbout)[0].officer == "周敏");
  CHECK(book.find(kAbout)[0].measures == "已通知取水口");
}
