#include "trust/merkle.h"

#include <bit>

#include "base/invariant.h"

namespace thalweg::trust {

Hash256 leaf_hash(std::uint8_t kind, ByteView bytes) {
  const std::uint8_t prefix[2] = {0x00, kind};
  return sha256({ByteView(prefix), bytes});
}

Hash256 node_hash(const Hash256& left, const Hash256& right) {
  std::uint8_t node[1 + 2 * sizeof(Hash256)];
  node[0] = 0x01;
  std::memcpy(node + 1, left.data(), left.size());
  std::memcpy(node + 1 + left.size(), right.data(), right.size());
  return sha256(ByteView(node));
}

void RootBuilder::add(const Hash256& leaf) {
  // As adding one to a binary number: every carry joins two full subtrees of equal size.
  Hash256 hash = leaf;
  std::size_t level = 0;
  for (std::uint64_t carry = count_; (carry & 1) != 0; carry >>= 1, ++level) hash = node_hash(full_[level], hash);
  full_[level] = hash;
  ++count_;
}

Hash256 RootBuilder::root() const {
  if (count_ == 0) return sha256(ByteView{});
  auto level = static_cast<std::size_t>(std::countr_zero(count_));
  Hash256 hash = full_[level];
  for (++level; level < 64 && (count_ >> level) != 0; ++level) {
    if ((count_ >> level & 1) != 0) hash = node_hash(full_[level], hash);
  }
  return hash;
}

Hash256 root(std::span<const Hash256> leaves) {
  RootBuilder builder;
  for (const Hash256& leaf : leaves) builder.add(leaf);
  return builder.root();
}

Tree::Tree(std::span<const Hash256> leaves) {
  // Level by level, the last of an odd number carried up as it is: the same tree as RFC 6962's split at a power of two.
  levels_.emplace_back(leaves.begin(), leaves.end());
  while (levels_.back().size() > 1) {
    const std::vector<Hash256>& below = levels_.back();
    std::vector<Hash256> level;
    level.reserve((below.size() + 1) / 2);
    for (std::size_t i = 0; i + 1 < below.size(); i += 2) level.push_back(node_hash(below[i], below[i + 1]));
    if (below.size() % 2 != 0) level.push_back(below.back());
    levels_.push_back(std::move(level));
  }
}

Hash256 Tree::root() const { return count() == 0 ? sha256(ByteView{}) : levels_.back().front(); }

std::vector<Hash256> Tree::path(std::size_t index) const {
  THALWEG_INVARIANT(index < count());
  std::vector<Hash256> path;
  path.reserve(levels_.size() - 1);
  for (std::size_t level = 0; level + 1 < levels_.size(); ++level, index >>= 1) {
    const std::size_t sibling = index ^ 1;
    if (sibling < levels_[level].size()) path.push_back(levels_[level][sibling]);
  }
  return path;
}

std::vector<Hash256> path(std::span<const Hash256> leaves, std::size_t index) { return Tree(leaves).path(index); }

bool verify_path(const Hash256& leaf, std::uint64_t index, std::uint64_t count, std::span<const Hash256> path,
                 const Hash256& root) {
  // RFC 9162, 2.1.3.2. `at` is the place on a level, `last` the last place there.
  if (index >= count) return false;
  std::uint64_t at = index;
  std::uint64_t last = count - 1;
  Hash256 hash = leaf;
  for (const Hash256& sibling : path) {
    if (last == 0) return false;
    if ((at & 1) != 0 || at == last) {
      hash = node_hash(sibling, hash);
      while ((at & 1) == 0 && at != 0) {
        at >>= 1;
        last >>= 1;
      }
    } else {
      hash = node_hash(hash, sibling);
    }
    at >>= 1;
    last >>= 1;
  }
  return last == 0 && hash == root;
}

}  // namespace thalweg::trust
