// merkle.h: Merkle trees over the records of a parcel: one root to sign, one short path to prove one record.
//
// RFC 6962 section 2.1 with one byte more in the leaf: leaf = SHA-256(0x00 || kind || record),
// node = SHA-256(0x01 || left || right); the left subtree holds the largest power of two below the count.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/hash.h"

namespace thalweg::trust {

/// `kind` as in model/parcel.h: kWholeRecord.
Hash256 leaf_hash(std::uint8_t kind, ByteView bytes);
Hash256 node_hash(const Hash256& left, const Hash256& right);

/// Takes leaves one by one and holds one hash per level, so a root of any number of records allocates nothing.
class RootBuilder {
 public:
  void add(const Hash256& leaf);
  std::uint64_t count() const { return count_; }
  /// The root of what was added so far; of nothing: SHA-256 of nothing.
  Hash256 root() const;

 private:
  std::array<Hash256, 64>
      full_{};  // full_[i]: root of a full subtree of 2^i leaves, valid where bit i of count_ is set
  std::uint64_t count_ = 0;
};

/// Allocates nothing; 0.1 µs per leaf.
Hash256 root(std::span<const Hash256> leaves);

/// All levels of one tree, for callers that need several paths: built once, each path costs copies only.
class Tree {
 public:
  explicit Tree(std::span<const Hash256> leaves);
  std::size_t count() const { return levels_.front().size(); }
  Hash256 root() const;
  /// Hashes from the leaf's sibling upwards. `index` is below count().
  std::vector<Hash256> path(std::size_t index) const;

 private:
  std::vector<std::vector<Hash256>> levels_;
};

/// The path of one leaf. `index` is below leaves.size().
std::vector<Hash256> path(std::span<const Hash256> leaves, std::size_t index);

/// True when `leaf` stands at `index` among `count` leaves of the tree with `root`. Any input, also hostile: a path of
/// another length than this place has, or an index beyond the count, is false.
[[nodiscard]] bool verify_path(const Hash256& leaf, std::uint64_t index, std::uint64_t count,
                               std::span<const Hash256> path, const Hash256& root);

}  // namespace thalweg::trust
