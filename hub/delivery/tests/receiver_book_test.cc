#include "delivery/receiver_book.h"

#include <catch2/catch.hpp>

#include "delivery/progress_book.h"

using namespace thalweg;
using namespace thalweg::delivery;

namespace {

Decision to(std::initializer_list<const char*> receivers) {
  Decision decision;
  for (const char* receiver : receivers) decision.sequences.push_back({receiver, 0});
  return decision;
}

ledger::Settlement settlement(const char* receiver, std::uint64_t sequence, std::uint64_t taken) {
  ledger::Settlement s;
  s.receiver = receiver;
  s.sequence = sequence;
  s.taken_sequence = taken;
  return s;
}

}  // namespace

TEST_CASE("each receiver's sequence is dense, whoever else is sent to") {
  ReceiverBook book;
  Decision first = to({"510521"}), second = to({"500111", "510521"});
  book.give(first);
  book.give(second);
  CHECK(first.sequences[0].sequence == 1);
  CHECK(second.sequences[0].sequence == 1);
  CHECK(second.sequences[1].sequence == 2);
}

TEST_CASE("numbers of decisions that never reached the ledger are given out again") {
  ReceiverBook book;
  Decision kept = to({"510521"}), lost = to({"510521"}), next = to({"510521"});
  book.give(kept);
  book.settle_given(kept);
  book.give(lost);
  book.take_back();
  book.give(next);
  CHECK(next.sequences[0].sequence == 2);
}

TEST_CASE("a receiver cannot settle what it was never sent, nor take what is not in its inbox") {
  ReceiverBook book;
  Decision decision = to({"510521"});
  book.give(decision);
  book.settle_given(decision);
  book.settled(settlement("510521", 99, 98));
  CHECK(book.find("510521")->settled == 1);
  CHECK(book.find("510521")->taken == 1);
}

TEST_CASE("the origin sees how far each receiver has got with its stream") {
  ProgressBook book;
  const StreamId stream{"500153", "gate-1", {}, Lane::kRoutine};
  const StreamId other{"500111", "gate-1", {}, Lane::kRoutine};
  book.sent("510521", 1, stream, 7);
  book.sent("510521", 2, other, 3);
  book.sent("510521", 3, stream, 8);
  CHECK(book.settled("510521", 2, 1) == std::set<StreamId>{stream, other});
  REQUIRE(book.of(stream).size() == 1);
  CHECK(book.of(stream)[0] == link::Progress{"510521", 7, 7});
  book.settled("510521", 3, 3);
  CHECK(book.of(stream)[0] == link::Progress{"510521", 8, 8});
}
