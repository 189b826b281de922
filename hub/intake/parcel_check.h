// parcel_check.h: one parcel, checked: every record's verdict, and who gets what.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "intake/incident_book.h"
#include "intake/policy.h"
#include "model/decision.h"
#include "model/parcel.h"
#include "model/verdict.h"

namespace thalweg::intake {

/// What the check found. The delivery sequences of `decision` are for delivery to fill in.
struct CheckedParcel {
  ParcelVerdicts verdicts;
  Decision decision;
  std::vector<RecordId> ids;        ///< of all records, by index; zero where a record had none
  std::uint32_t refused = 0;        ///< records that were refused
  std::uint32_t marked = 0;         ///< records that were accepted with a mark
  std::uint32_t refused_bytes = 0;  ///< for the quota of rule 22
};

/// What the check must ask of others.
struct CheckContext {
  PolicyPtr policy;
  std::int64_t now_unix_ns = 0;
  std::int64_t clock_offset_ns = 0;  ///< of the sender, measured by the session; 0 when not known
  /// Origin party of a record in the ledger, for receipts; nothing when it is not there.
  std::function<std::optional<std::string>(const RecordId&)> origin_of;
  /// The hub was restored a moment ago and its gates send what it lost, in no order between them.
  bool refilling = false;
  /// Is the record in the ledger already? Asked only for resubmissions.
  std::function<bool(const RecordId&)> known;
};

/// A clock that is off by more is accepted, marked and warned of (rule 25).
inline constexpr std::int64_t kClockTolerance_ns = 300'000'000'000;

/// Checks parcels. Owns parsers and scratch memory; keeps no state between parcels but the book of incidents.
///
/// Threads: one loop. Costs one signature, and per KB of record one SHA-256, one expansion, one walk.
class ParcelCheck {
 public:
  /// Books in `incidents`, which outlives it, who was told of what.
  explicit ParcelCheck(IncidentBook& incidents);
  ~ParcelCheck();

  /// Checks signature and root, then each record: envelope, schema, source, lane, sections, routes. A record that is
  /// refused does not keep the others from going on.
  ///
  /// Errors (the parcel is refused as a whole and consumes no number): kKeyUnknown, kKeyExpired, kKeyRevoked,
  /// kParcelSignature, kParcelRoot, kParcelFormat, kParcelTooLarge, kAlgorithmUnknown; kBusy while refilling, when the
  /// parcel answers a record that has yet to come.
  Result<CheckedParcel> check(const ParcelView& parcel, const CheckContext& context);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
  IncidentBook& incidents_;
};

}  // namespace thalweg::intake
