#include "trust/merkle.h"

#include <catch2/catch.hpp>
#include <string>

using namespace thalweg;
using namespace thalweg::trust;

namespace {

/// RFC 6962, 2.1, word for word: the oracle.
Hash256 rfc6962(std::span<const Hash256> leaves) {
  if (leaves.empty()) return sha256(ByteView{});
  if (leaves.size() == 1) return leaves[0];
  std::size_t k = 1;
  while (k * 2 < leaves.size()) k *= 2;
  const Hash256 left = rfc6962(leaves.first(k));
  const Hash256 right = rfc6962(leaves.subspan(k));
  const std::uint8_t one = 1;
  return sha256({ByteView(&one, 1), left, right});
}

std::vector<Hash256> made_leaves(std::size_t count) {
  std::vector<Hash256> leaves;
  for (std::size_t i = 0; i < count; ++i) leaves.push_back(leaf_hash(0, as_bytes("record " + std::to_string(i))));
  return leaves;
}

}  // namespace

TEST_CASE("roots are those of the test vectors of Certificate Transparency", "[trust]") {
  // The vectors' leaves have no kind: their first byte stands for it here, and the empty one is hashed as it is.
  const std::uint8_t zero = 0;
  std::vector<Hash256> leaves = {sha256(ByteView(&zero, 1))};
  for (const char* text :
       {"00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"}) {
    const Bytes input = *from_hex(text);
    leaves.push_back(leaf_hash(input[0], ByteView(input).subspan(1)));
  }
  const char* roots[] = {"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
                         "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
                         "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
                         "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
                         "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
                         "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
                         "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
                         "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
                         "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"};
  for (std::size_t count = 0; count <= leaves.size(); ++count) {
    CHECK(to_hex(root(std::span(leaves).first(count))) == roots[count]);
  }
}

TEST_CASE("a leaf's hash depends on its kind and can be no node's", "[trust]") {
  CHECK(leaf_hash(0, as_bytes("a")) != leaf_hash(1, as_bytes("a")));
  const std::vector<Hash256> leaves = made_leaves(2);
  Bytes joined(leaves[0].begin(), leaves[0].end());
  joined.insert(joined.end(), leaves[1].begin(), leaves[1].end());
  CHECK(leaf_hash(1, joined) != node_hash(leaves[0], leaves[1]));
}

TEST_CASE("root, tree and the RFC's recursion agree, and every path proves its leaf and no other", "[trust]") {
  const std::vector<Hash256> all = made_leaves(130);
  for (std::size_t count = 1; count <= all.size(); ++count) {
    const std::span<const Hash256> leaves = std::span(all).first(count);
    const Hash256 top = rfc6962(leaves);
    const Tree tree(leaves);
    bool good = root(leaves) == top && tree.root() == top && tree.count() == count;
    for (std::size_t index = 0; index < count; ++index) {
      const std::vector<Hash256> proof = tree.path(index);
      good = good && verify_path(leaves[index], index, count, proof, top);
      good = good && !verify_path(all[(index + 1) % all.size()], index, count, proof, top);
      good = good && !verify_path(leaves[index], index + count, count, proof, top);
      if (count > 1) {
        good = good && !verify_path(leaves[index], (index + 1) % count, count, proof, top);
        std::vector<Hash256> shorter(proof.begin(), proof.end() - 1);
        good = good && !verify_path(leaves[index], index, count, shorter, top);
      }
      std::vector<Hash256> longer = proof;
      longer.push_back(top);
      good = good && !verify_path(leaves[index], index, count, longer, top);
    }
    INFO(count << " leaves");
    CHECK(good);
  }
  CHECK(path(std::span(all).first(5), 4) == Tree(std::span(all).first(5)).path(4));
}

TEST_CASE("a path with any bit changed proves nothing", "[trust]") {
  const std::vector<Hash256> leaves = made_leaves(11);
  const Hash256 top = root(leaves);
  const std::vector<Hash256> proof = path(leaves, 6);
  for (std::size_t bit = 0; bit < proof.size() * 256; ++bit) {
    std::vector<Hash256> bad = proof;
    bad[bit / 256][bit % 256 / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
    CHECK_FALSE(verify_path(leaves[6], 6, leaves.size(), bad, top));
  }
}

TEST_CASE("hostile indexes and counts prove nothing", "[trust]") {
  const std::vector<Hash256> leaves = made_leaves(4);
  const Hash256 top = root(leaves);
  const std::vector<Hash256> proof = path(leaves, 1);
  CHECK_FALSE(verify_path(leaves[1], 1, 0, proof, top));
  CHECK_FALSE(verify_path(leaves[1], UINT64_MAX, UINT64_MAX, proof, top));
  CHECK_FALSE(verify_path(leaves[1], 1, UINT64_MAX, proof, top));
  CHECK_FALSE(verify_path(leaves[1], 1, 4, std::vector<Hash256>(100), top));
  CHECK_FALSE(verify_path(leaves[1], 0, 1, {}, top));
  CHECK(verify_path(top, 0, 1, {}, top));
}

TEST_CASE("a tree of 4,096 leaves has paths of twelve hashes", "[trust]") {
  const std::vector<Hash256> leaves = made_leaves(4096);
  const Tree tree(leaves);
  const Hash256 top = root(leaves);
  CHECK(tree.root() == top);
  for (const std::size_t index : {0U, 1U, 2047U, 2048U, 4095U}) {
    CHECK(tree.path(index).size() == 12);
    CHECK(verify_path(leaves[index], index, 4096, tree.path(index), top));
  }
  CHECK(Tree({}).root() == root({}));
}
