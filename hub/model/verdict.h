// verdict.h: what the hub says of each record of a parcel.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"

namespace thalweg {

inline constexpr std::size_t kMaxVerdictTextBytes = 1000;

/// Accepted, but with a mark (a clock that is off, parts not verified, a fallback route). Class "mark" of errors.json.
bool is_mark(Code code);
/// Neither accepted nor marked.
bool is_refusal(Code code);

/// Said of one record that is not plainly accepted.
struct RecordVerdict {
  std::uint32_t index = 0;
  Code code = Code::kOk;
  std::string text;  ///< for people; cut at kMaxVerdictTextBytes
  bool operator==(const RecordVerdict&) const = default;
};

/// The verdicts of a parcel: records that are not named were accepted. Stored beside the parcel and sent with its
/// acknowledgement; a repeat is answered with the same bytes.
struct ParcelVerdicts {
  std::vector<RecordVerdict> exceptions;  ///< ascending by index

  void encode(Bytes& out) const;
  /// Reads what encode() wrote and leaves `in` behind it. Unknown codes of newer versions are kept as they are.
  /// Errors: kParcelFormat.
  static Result<ParcelVerdicts> decode(ByteReader& in);
  /// The same for bytes that hold nothing else. Errors: kParcelFormat.
  static Result<ParcelVerdicts> decode(ByteView bytes);

  /// The verdict on record `index`, or null when it was accepted.
  const RecordVerdict* find(std::uint32_t index) const;
  bool operator==(const ParcelVerdicts&) const = default;
};

}  // namespace thalweg
