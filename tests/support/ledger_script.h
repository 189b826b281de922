// ledger_script.h: helpers of ledger tests: entries from a seed, and a check that a log is a whole chain.
#pragma once

#include <map>
#include <random>

#include "ledger/segment_format.h"
#include "ledger/segment_log.h"

namespace thalweg::ledger {

/// `size` bytes that only `seed` decides.
inline Bytes some_bytes(std::uint64_t seed, std::size_t size) {
  std::mt19937_64 random(seed);
  Bytes out(size);
  for (auto& b : out) b = static_cast<std::uint8_t>(random());
  return out;
}

/// What a test was told is in the ledger.
using Acknowledged = std::map<std::uint64_t, Hash256>;

/// Empty when blocks first_block() to head() are a chain whose hashes are true and every acknowledged block that was
/// not dropped is there with its hash; else what is wrong.
inline std::string faults_of(const SegmentLog& log, const Acknowledged& acknowledged) {
  const BlockInfo head = log.head();
  Hash256 previous{};
  std::uint64_t number = log.first_block();
  const std::uint64_t first = number;
  while (number <= head.number) {
    auto run = log.read_run(number, 4096);
    if (!run) return "block " + std::to_string(number) + ": " + run.error().message;
    if (run->empty()) return "block " + std::to_string(number) + " is missing";
    for (const BlockPtr& block : *run) {
      const std::string name = "block " + std::to_string(number);
      if (block->info.number != number) return name + ": numbered " + std::to_string(block->info.number);
      if (number != first && block->info.previous != previous) return name + ": not chained";
      if (computed_hash(block->info, block->entries) != block->info.hash) return name + ": hash";
      auto told = acknowledged.find(number);
      if (told != acknowledged.end() && told->second != block->info.hash) return name + ": other content";
      previous = block->info.hash;
      ++number;
    }
  }
  if (previous != head.hash) return "the head is not the last block";
  if (!acknowledged.empty() && acknowledged.rbegin()->first > head.number)
    return "block " + std::to_string(acknowledged.rbegin()->first) + " was acknowledged and is lost; the head is " +
           std::to_string(head.number);
  return {};
}

/// Settings for logs in memory: small segments, each opened by an entry of type 7.
inline SegmentOptions small_segments(std::uint64_t segment_bytes = 8192) {
  SegmentOptions options;
  options.genesis = {'t', 'e', 's', 't'};
  options.genesis_time_unix_ns = 1;
  options.segment_bytes = segment_bytes;
  options.lock_folder = false;
  options.fill_bytes = 2048;
  options.recent_bytes = 2000;
  options.opener_type = 7;
  options.opener = [](const BlockInfo& last) -> Result<Bytes> { return Bytes(last.hash.begin(), last.hash.end()); };
  return options;
}

}  // namespace thalweg::ledger
