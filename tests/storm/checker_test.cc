// checker_test.cc: the checker of the storm finds each kind of fault where it was put.
#include "storm/checker.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <random>

using namespace thalweg;
using storm::compare;

namespace {

RecordId id(std::uint32_t n) {
  RecordId made;
  for (int i = 0; i < 4; ++i) made.bytes[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(n >> (8 * i));
  made.bytes[15] = 1;
  return made;
}
std::vector<RecordId> ids(std::uint32_t count) {
  std::vector<RecordId> made;
  for (std::uint32_t i = 0; i < count; ++i) made.push_back(id(i));
  return made;
}

}  // namespace

TEST_CASE("an inbox that holds what was accepted, in its order, is content") {
  CHECK(compare(ids(1000), ids(1000)).content());
  CHECK(compare({}, {}).content());
}

TEST_CASE("each missing record is counted, wherever it is missing") {
  for (const std::size_t at : {0u, 500u, 999u}) {
    auto held = ids(1000);
    held.erase(held.begin() + static_cast<std::ptrdiff_t>(at));
    const auto found = compare(ids(1000), held);
    CHECK(found.lost == 1);
    CHECK(found.doubled + found.out_of_order + found.foreign == 0);
    CHECK(found.examples.at(0) == "lost " + id(static_cast<std::uint32_t>(at)).text());
  }
  CHECK(compare(ids(1000), {}).lost == 1000);
}

TEST_CASE("a doubled record is no record out of order") {
  auto held = ids(10);
  held.push_back(id(3));
  held.insert(held.begin() + 5, id(3));
  const auto found = compare(ids(10), held);
  CHECK(found.doubled == 2);
  CHECK(found.lost + found.out_of_order + found.foreign == 0);
}

TEST_CASE("two swapped neighbours are one record out of order") {
  auto held = ids(10);
  std::swap(held[4], held[5]);
  const auto found = compare(ids(10), held);
  CHECK(found.out_of_order == 1);
  CHECK(found.lost + found.doubled + found.foreign == 0);
}

TEST_CASE("a record that nobody was told of is foreign") {
  auto held = ids(10);
  held.insert(held.begin() + 2, id(77));
  const auto found = compare(ids(10), held);
  CHECK(found.foreign == 1);
  CHECK(found.lost + found.doubled + found.out_of_order == 0);
}

TEST_CASE("a record at one who may not see it is forbidden, as often as it stands there") {
  const auto others = ids(1000);
  std::vector<RecordId> held{id(5000), id(5001), id(5002)};
  CHECK(storm::intruders(others, held).content());
  held.insert(held.begin() + 1, others[77]);
  held.push_back(others[999]);
  held.push_back(others[999]);
  const auto found = storm::intruders(others, held);
  CHECK(found.forbidden == 3);
  CHECK_FALSE(found.content());
  CHECK(found.examples.at(0) == "not for this inbox " + others[77].text());
}

TEST_CASE("what comes after a revocation is forbidden, what came before it is not") {
  const auto accepted = ids(100);
  const auto after = std::span(accepted).subspan(60);
  CHECK(storm::intruders(after, std::span(accepted).first(60)).content());
  CHECK(storm::intruders(after, std::span(accepted).first(61)).forbidden == 1);
}

TEST_CASE("seeded faults of all kinds at once are counted each by its kind") {
  std::mt19937 random(20260923);
  for (int round = 0; round < 50; ++round) {
    const auto accepted = ids(2000);
    auto held = accepted;
    const std::size_t lost = random() % 5, doubled = random() % 5, foreign = random() % 5;
    // Far apart, so that one fault does not hide another.
    for (std::size_t i = 0; i < lost; ++i)
      held.erase(held.begin() + static_cast<std::ptrdiff_t>(100 * i + random() % 50));
    for (std::size_t i = 0; i < doubled; ++i) {
      const RecordId again = held[600 + 100 * i];
      held.insert(held.begin() + static_cast<std::ptrdiff_t>(601 + 100 * i + random() % 50), again);
    }
    for (std::size_t i = 0; i < foreign; ++i)
      held.insert(held.begin() + static_cast<std::ptrdiff_t>(random() % held.size()),
                  id(1'000'000 + static_cast<std::uint32_t>(i)));
    const auto found = compare(accepted, held);
    CHECK(found.lost == lost);
    CHECK(found.doubled == doubled);
    CHECK(found.foreign == foreign);
    CHECK(found.out_of_order == 0);
  }
}
