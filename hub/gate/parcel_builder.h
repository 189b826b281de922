// parcel_builder.h: from what sources submit to records that may be signed: permission, form, schema (rules 11 and 23).
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "gate/gate_config.h"
#include "gate/origin_keys.h"
#include "gate/outbox_entries.h"
#include "link/local_message.h"
#include "model/record.h"
#include "model/record_checker.h"

namespace thalweg::gate {

/// Who submits. `allow` is null for a person, who may send every type.
struct Submitter {
  std::string instance;  ///< names the origin keys: the adapter instance, or "person.NAME"
  std::string name;      ///< the record's attribute `submitter`
  const RecordFilter* allow = nullptr;
};

/// What became of one draft.
struct Outcome {
  std::uint64_t ticket = 0;
  link::Answer answer = link::Answer::kRetry;
  Code code = Code::kOk;
  RecordId id;
  std::string reason;
};

/// The drafts of one SUBMIT frame, answered together when the last one is.
struct Submission {
  std::vector<Outcome> outcomes;
  std::size_t open = 0;
  std::function<void(Submission&)> answered;

  void settle(std::size_t index, link::Answer answer, Code code, std::string reason = {}) {
    Outcome& outcome = outcomes[index];
    outcome.answer = answer;
    outcome.code = code;
    outcome.reason = std::move(reason);
    if (--open == 0 && answered) answered(*this);
  }
};
using SubmissionRef = std::shared_ptr<Submission>;

/// Someone who waits for a record.
struct Waiter {
  SubmissionRef submission;
  std::size_t index = 0;
};

/// Records gathered for one parcel, and who waits for each.
struct OpenParcel {
  std::string type;
  std::vector<Bytes> records;  ///< `count` of them; the rest is memory kept for the next parcel
  std::size_t count = 0;
  std::size_t raw_bytes = 0;
  std::vector<std::string> instances;
  std::vector<ParcelEntryHead::Key> keys;
  std::vector<OriginKeys::Key> hashes;  ///< zero where no key was given
  std::vector<Waiter> waiters;

  bool empty() const { return count == 0; }
  void clear();
};

/// Makes and checks records. Threads: one.
class RecordMaker {
 public:
  RecordMaker(const GateConfig& config, Lane lane, const Clock& clock, const SchemaSet& schemas)
      : config_(config), lane_(lane), clock_(clock), checker_(schemas) {}

  /// May this submitter send such a draft at all? Errors: kAdapterNotAllowed, kRecordLaneMismatch, kInvalid.
  Status permit(const Submitter& who, const link::LocalDraft& draft) const;
  /// The id that the draft's record has or would have. Errors: kRecordAttributeInvalid (time).
  Result<RecordId> id_of(const Submitter& who, const link::LocalDraft& draft) const;
  /// Builds the record into `out` and checks all of it. The error's message names every fault with its path.
  Status make(const Submitter& who, const link::LocalDraft& draft, const RecordId& id, Bytes& out);

 private:
  const GateConfig& config_;
  const Lane lane_;
  const Clock& clock_;
  RecordChecker checker_;
  std::vector<Fault> faults_;
};

}  // namespace thalweg::gate
