// record_shape.h: what the records of one source have in common, so that the next one is checked where it differs.
// Private to record_checker.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "model/record.h"
#include "model/schema_walker.h"

namespace thalweg {

struct SchemaNode;

/// A record that was found good, as a pattern: all that stands between its scalars (brackets, names, commas, blanks)
/// must be the same bytes in the next one, and each scalar that differs must be good at its place. Then the next one is
/// good for the same reasons, its members are the same, and no name has to be looked up.
///
/// Says yes only to what the whole check finds good: scalars that decide about others (type, dataschema, what a
/// condition asks for) must be the same bytes, and a scalar with an escape too. Else it says no, which means nothing.
class RecordShape {
 public:
  /// What a shape is made of is copied; `scalars` are those of `data`, whose nodes must live on.
  RecordShape(const TokenStream& tokens, const std::vector<WalkedScalar>& scalars, std::uint32_t data_token);

  /// Whether the record that `tokens` were found in is good by this shape; then `envelope` is filled in, else
  /// undefined.
  bool fits(const TokenStream& tokens, Envelope& envelope) const;

 private:
  struct Scalar {
    std::uint32_t token = 0;
    std::uint32_t begin = 0, size = 0;  // in text_
    std::uint8_t attribute = 0;         // of the record; kAttributes: none
    bool fixed = false;                 // only the same bytes will do
    const SchemaNode* node = nullptr;   // of data
  };

  void add_attributes(const TokenStream& tokens, std::uint32_t data_token);

  std::string text_;                              // of the record that taught it, and padding
  std::vector<Scalar> scalars_;                   // in order, and one behind the last that stands for the end
  std::uint32_t data_first_ = 0, data_last_ = 0;  // tokens
  std::optional<std::uint32_t> subject_token_;    // the text in data that must be the record's subject
  Envelope envelope_;                             // values that are not text; its views lead nowhere
};

/// The shapes that a checker knows, by their number of tokens. Owns: at most kShapes records and their scalars.
class RecordShapes {
 public:
  /// As RecordShape::fits(), by the one shape that may fit.
  bool fits(const TokenStream& tokens, Envelope& envelope) const;
  /// Whether a good record that fitted none should be learned: not every one, since records that never repeat would
  /// pay for it each time.
  bool wants(const TokenStream& tokens);
  void learn(const TokenStream& tokens, RecordShape shape);

 private:
  static constexpr std::size_t kShapes = 32;
  static constexpr std::uint32_t kPatience = 16;  // good records without a shape before one is learned
  static constexpr std::uint32_t kMostBytes = 16 << 10;
  struct Place {
    std::uint32_t tokens = 0;
    std::uint32_t missed = 0;
    std::optional<RecordShape> shape;
  };
  std::array<Place, kShapes> places_;
};

}  // namespace thalweg
