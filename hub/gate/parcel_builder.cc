// parcel_builder.cc: see parcel_builder.h.
#include "gate/parcel_builder.h"

#include "base/clock.h"
#include "model/record_builder.h"
#include "model/time.h"

namespace thalweg::gate {

namespace {
constexpr std::size_t kMaxOriginKeyBytes = 256;
constexpr std::size_t kMaxReasonBytes = 1000;  // of 4,096 reasons in one frame
}  // namespace

void OpenParcel::clear() {
  type.clear();
  count = 0;
  raw_bytes = 0;
  instances.clear();
  keys.clear();
  hashes.clear();
  waiters.clear();
}

Status RecordMaker::permit(const Submitter& who, const link::LocalDraft& draft) const {
  if (draft.lane != lane_) {
    return Error{Code::kRecordLaneMismatch, "this socket takes " + std::string(name(lane_)) + " records only"};
  }
  if (draft.origin_key.size() > kMaxOriginKeyBytes) {
    return Error{Code::kInvalid, "the origin key is longer than 256 bytes"};
  }
  if (who.allow == nullptr) return {};
  if (draft.origin_key.empty()) return Error{Code::kInvalid, "a source gives every record an origin key"};
  if (!who.allow->admits(draft.type, draft.subject)) {
    return Error{Code::kAdapterNotAllowed, who.instance + " may not submit " + std::string(draft.type) + " about '" +
                                               std::string(draft.subject) + "' on the " + std::string(name(lane_)) +
                                               " lane (gate.toml, adapter.submit)"};
  }
  return {};
}

Result<RecordId> RecordMaker::id_of(const Submitter& who, const link::LocalDraft& draft) const {
  if (draft.origin_key.empty()) return random_uuid_v7(clock_);
  auto time = parse_rfc3339(draft.time);
  if (!time) return Error{Code::kRecordAttributeInvalid, "/time: " + time.error().message};
  // Floor, so that two moments of one millisecond before 1970 have one id too.
  const std::int64_t unix_ms = *time >= 0 ? *time / 1'000'000 : (*time - 999'999) / 1'000'000;
  return record_id_for(unix_ms, config_.party, who.instance, draft.origin_key);
}

Status RecordMaker::make(const Submitter& who, const link::LocalDraft& draft, const RecordId& id, Bytes& out) {
  Draft record;
  record.id = id;
  record.party = config_.party;
  record.type = draft.type;
  record.subject = draft.subject;
  record.time = draft.time;
  record.lane = draft.lane;
  record.exercise = draft.exercise;
  record.correlation = draft.correlation;
  record.submitter = who.name;
  record.data_json = draft.data;
  faults_.clear();
  auto checked = build_checked_record(record, checker_, out, faults_);
  if (checked && faults_.empty()) return {};
  if (checked && lane_ == Lane::kUrgent) soften_for_urgent(*checked, faults_);
  const auto refusal = refusal_of(faults_);
  if (checked && !refusal) return {};
  if (refusal) return Error{*refusal, summary(faults_, kMaxReasonBytes)};
  return Error(std::move(checked).error());
}

}  // namespace thalweg::gate
