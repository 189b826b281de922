// schema_nodes.h: the compiled form of a schema: tables that the walk reads. Private to schema_compiler and
// schema_walker.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "model/schema_formats.h"

namespace thalweg {

/// A set of strings with their places in the schema's order. Found by hash; no allocation.
class NameTable {
 public:
  static constexpr std::size_t kMaxNames = 64;  // so that a set of members is one machine word
  static constexpr int kAbsent = -1;

  NameTable() = default;
  explicit NameTable(std::vector<std::string> names);
  int find(std::string_view name) const {
    for (std::size_t at = hash(name) & mask_;; at = (at + 1) & mask_) {
      if (slots_[at] == 0) return kAbsent;
      if (names_[slots_[at] - 1u] == name) return slots_[at] - 1;
    }
  }
  /// Whether the key whose text begins at `raw` (behind its quote) is name `i`; 64 bytes from there must be readable.
  bool is_key(std::size_t i, const char* raw) const {
    const Packed& packed = packed_[i];
    std::uint64_t first, second;
    std::memcpy(&first, raw, sizeof first);
    std::memcpy(&second, raw + sizeof first, sizeof second);
    if (((first ^ packed.first) & packed.first_mask) != 0 || ((second ^ packed.second) & packed.second_mask) != 0)
      return false;
    return packed.whole || (std::memcmp(raw, names_[i].data(), names_[i].size()) == 0 && raw[names_[i].size()] == '"');
  }
  std::size_t size() const { return names_.size(); }
  const std::string& operator[](std::size_t i) const { return names_[i]; }
  const std::vector<std::string>& names() const { return names_; }

 private:
  static std::size_t hash(std::string_view name) {
    std::uint64_t h = 0xcbf29ce484222325u;  // FNV-1a: short names, trusted table, bounded probes
    for (char c : name) h = (h ^ static_cast<std::uint8_t>(c)) * 0x100000001b3u;
    return static_cast<std::size_t>(h ^ (h >> 29));
  }
  // The first 16 bytes of a name and its closing quote: two words compare faster than a call of memcmp.
  struct Packed {
    std::uint64_t first = 0, second = 0, first_mask = 0, second_mask = 0;
    bool whole = false;
  };
  std::vector<std::string> names_;
  std::vector<Packed> packed_;
  std::array<std::uint8_t, 256> slots_{};  // place + 1; at most a quarter full
  std::size_t mask_ = 0;
};

/// Types that a value may have, as bits. An integer has both number bits.
enum TypeBit : std::uint8_t {
  kNullType = 1,
  kBooleanType = 2,
  kIntegerType = 4,
  kNumberType = 8,
  kStringType = 16,
  kArrayType = 32,
  kObjectType = 64,
};

/// "if `member` has one of `values`, then all of `required` must be there."
struct SchemaCondition {
  std::uint8_t member = 0;
  std::uint8_t slot = 0;       // where the walk keeps the value that `member` had
  std::uint64_t values = 0;    // places in the enum of `member`
  std::uint64_t required = 0;  // members
};

/// One schema or subschema. Members that do not concern its types are unused.
struct SchemaNode {
  static constexpr std::uint32_t kUnbounded = std::numeric_limits<std::uint32_t>::max();
  static constexpr std::uint8_t kNoSlot = 0xff;
  static constexpr std::size_t kMaxSlots = 4;

  std::uint8_t types = 0;
  // strings
  NamedFormat format = NamedFormat::kNone;
  std::uint32_t min_length = 0;
  std::uint32_t max_length = kUnbounded;
  NameTable values;  // enum and const; empty means any
  // numbers
  bool has_bounds = false;
  double minimum = -std::numeric_limits<double>::infinity();
  double maximum = std::numeric_limits<double>::infinity();
  // arrays
  std::uint32_t items = 0;  // node
  std::uint32_t min_items = 0;
  std::uint32_t max_items = kUnbounded;
  // objects
  bool free_object = false;  // anything goes, as long as it is JSON
  std::uint32_t max_members = kUnbounded;
  NameTable members;
  std::vector<std::uint32_t> member_nodes;
  std::vector<std::uint8_t> member_slots;  // kNoSlot, or where to keep the enum value for conditions
  std::uint64_t required = 0;
  std::vector<std::uint64_t> any_required;  // anyOf of required: at least one of these sets
  std::vector<SchemaCondition> conditions;
  std::uint32_t order_at = 0;  // first of members.size() + 1 entries of the walk's memory of key order
};

/// All nodes of one schema; the root is node 0.
struct SchemaNodes {
  std::string type;
  std::string id;
  std::string subject_member;
  int subject_place = NameTable::kAbsent;
  std::uint32_t order_size = 0;
  std::vector<SchemaNode> nodes;
};

}  // namespace thalweg
