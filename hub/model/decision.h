// decision.h: which agreement let which records of a parcel go to whom. Stored beside the parcel, never recomputed.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"

namespace thalweg {

/// Records `first` to `first + count - 1` of a parcel.
struct IndexRange {
  std::uint32_t first = 0;
  std::uint32_t count = 0;
  bool operator==(const IndexRange&) const = default;
};

/// One agreement, what it lets through, and to whom.
struct Grant {
  static constexpr std::uint8_t kFallback = 1;  ///< no route was found; the duty to tell neighbours (rule 24)

  std::string agreement;  ///< empty for kFallback and for answers to the origin (receipts)
  std::uint32_t version = 0;
  std::uint8_t flags = 0;
  std::vector<IndexRange> records;     ///< ascending, not touching, not empty
  std::vector<std::string> receivers;  ///< party codes
  bool operator==(const Grant&) const = default;
};

/// The place of a parcel in the delivery sequence of one receiver. One parcel takes one number per receiver.
struct ReceiverSequence {
  std::string receiver;
  std::uint64_t sequence = 0;
  bool operator==(const ReceiverSequence&) const = default;
};

/// The routing decision for one parcel.
struct Decision {
  std::vector<Grant> grants;
  std::vector<ReceiverSequence> sequences;  ///< every receiver of any grant, once
  bool operator==(const Decision&) const = default;

  void encode(Bytes& out) const;
  /// Errors: kParcelFormat. At most 4,096 grants, ranges and receivers each.
  static Result<Decision> decode(ByteReader& in);
};

}  // namespace thalweg
