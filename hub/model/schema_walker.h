// schema_walker.h: checks JSON against a compiled schema by one walk over simdjson, without a DOM.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "model/record.h"
#include "model/schema.h"

namespace thalweg {

class TokenStream;
struct SchemaNode;

/// A text, number or literal that was walked over.
struct WalkedScalar {
  std::uint32_t token = 0;
  const SchemaNode* node = nullptr;  ///< what it must be; lives as long as the schema
  bool decides = false;              ///< which other members must be there
  bool is_subject = false;           ///< of the record
};

/// What to check, beside the schema.
struct WalkTask {
  ByteView json;                  ///< one JSON value; simdjson's padding (64 bytes) must be readable behind it
  TokenStream* tokens = nullptr;  ///< given: `json` is not read, the value begins at token `first` of this text
  std::uint32_t first = 0;
  std::string_view root_path;                    ///< what paths begin with: "data"
  std::size_t depth = 1;                         ///< level of the value itself; beyond kMaxRecordDepth is refused
  std::optional<std::string_view> subject;       ///< what the schema's subject member must equal
  std::vector<WalkedScalar>* scalars = nullptr;  ///< given: told of every scalar, in order
};

/// Owns: the parser's buffers, and a memory of the order in which keys came, which only makes it faster.
/// Threads: one at a time; make one per thread. Strict: what passes is JSON throughout (every number, escape and
/// literal), with no member twice in an object that the schema describes.
class SchemaWalker {
 public:
  SchemaWalker();
  ~SchemaWalker();
  SchemaWalker(SchemaWalker&&) noexcept;
  SchemaWalker& operator=(SchemaWalker&&) noexcept;

  /// Appends what is wrong to `faults` (at most until it holds kMaxFaults); true when nothing was.
  /// About 1 µs per KB, and no allocation, when all is well (bench/schema_bench.cc).
  bool check(const Schema& schema, const WalkTask& task, std::vector<Fault>& faults);

  /// The token behind the value that was checked last; 0 when the walk did not come to its end.
  std::uint32_t end_token() const;

  /// Checks JSON without a schema: strict, bounded in depth.
  bool check_json(const WalkTask& task, std::vector<Fault>& faults);

  /// A text member at the top of the value that check() went over last, unescaped; none when it is absent or no string.
  /// For what few records need (kind and river of a notice); valid while that value's bytes are.
  std::optional<std::string> text_of(std::string_view member) const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace thalweg
