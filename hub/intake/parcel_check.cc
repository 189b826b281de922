#include "intake/parcel_check.h"

#include <fmt/format.h>
#include <algorithm>

#include "base/invariant.h"
#include "intake/question.h"
#include "model/record_checker.h"
#include "model/schema.h"
#include "trust/seal.h"

namespace thalweg::intake {
namespace {

/// Puts all faults into one text: each with its path, so that the sender can mend them in one go.
RecordVerdict verdict_of(std::uint32_t index, Code code, const std::vector<Fault>& faults) {
  RecordVerdict verdict{index, code, {}};
  for (const Fault& fault : faults) {
    if (!verdict.text.empty()) verdict.text += "; ";
    verdict.text += fault.path.empty() ? fault.message : fault.path + ": " + fault.message;
    if (verdict.text.size() > kMaxVerdictTextBytes) break;
  }
  return verdict;
}

}  // namespace

struct ParcelCheck::Impl {
  explicit Impl(SchemaSet set) : schemas(std::move(set)), checker(schemas) {}

  /// What one record came to; `verdict` is empty for a record that is plainly accepted.
  struct Outcome {
    std::optional<RecordVerdict> verdict;
    bool goes = false;
    std::vector<Grant> grants;  // records left empty
    bool too_early = false;     // answers a record that has yet to come
  };

  Outcome check_record(std::uint32_t index, ByteView record, const ParcelHeader& header, const CheckContext& context,
                       IncidentBook& incidents, RecordId& id);
  Outcome route(std::uint32_t index, const Envelope& envelope, const CheckContext& context, IncidentBook& incidents,
                std::vector<Fault> marks);
  void place(std::uint32_t index, Outcome outcome, CheckedParcel& out);

  SchemaSet schemas;
  RecordChecker checker;
  QuestionReader questions;
  std::vector<Fault> faults;
};

ParcelCheck::ParcelCheck(IncidentBook& incidents) : incidents_(incidents) {
  Result<SchemaSet> schemas = SchemaSet::load_builtin();
  THALWEG_INVARIANT(schemas.has_value());  // compiled in and tested
  impl_ = std::make_unique<Impl>(*std::move(schemas));
}
ParcelCheck::~ParcelCheck() = default;

ParcelCheck::Impl::Outcome ParcelCheck::Impl::route(std::uint32_t index, const Envelope& envelope,
                                                    const CheckContext& context, IncidentBook& incidents,
                                                    std::vector<Fault> marks) {
  RecordQuestion asked = questions.read(envelope);
  std::vector<std::string_view> told;
  std::optional<std::string> origin;
  if (asked.question.notice == routing::NoticeKind::kEnd) {
    told = incidents.receivers(asked.incident);
    asked.question.told_before = told;
  }
  if (!asked.answered.is_zero()) {
    origin = context.origin_of(asked.answered);
    if (!origin)
      return {RecordVerdict{index, Code::kNotFound, "data.record: the ledger holds no record " + asked.answered.text()},
              false,
              {},
              context.refilling};
    asked.question.answers_to = *origin;
  }

  const routing::Route route = context.policy->routes->route(asked.question);
  Outcome out;
  if (!route.goes() && route.hops.empty() && is_refusal(route.code)) {
    out.verdict = RecordVerdict{index, route.code, route.text.en};
    return out;
  }
  out.goes = true;
  out.grants = routing::grants_of(*context.policy->region, route);
  if (route.code != Code::kOk) marks.push_back({route.code, "", route.text.en});
  for (const std::string& party : route.not_reached)
    marks.push_back({Code::kNoAgreement, "data.parties", party + " gets nothing: no agreement in force allows it"});
  if (!marks.empty()) {
    const Code code = is_mark(marks.front().code) ? marks.front().code : Code::kMarkedUnverified;
    out.verdict = verdict_of(index, code, marks);
  }
  if (!asked.incident.empty() && region::family_of(envelope.type) == region::Family::kEmergencyNotice)
    for (const Grant& grant : out.grants)
      for (const std::string& receiver : grant.receivers) incidents.told(asked.incident, receiver);
  return out;
}

ParcelCheck::Impl::Outcome ParcelCheck::Impl::check_record(std::uint32_t index, ByteView record,
                                                           const ParcelHeader& header, const CheckContext& context,
                                                           IncidentBook& incidents, RecordId& id) {
  faults.clear();
  Result<Envelope> read = checker.check(record, faults);
  if (!read) return {verdict_of(index, read.error().code, faults), false, {}};
  const Envelope& envelope = *read;
  id = envelope.record_id;
  if (envelope.party != header.party)
    faults.push_back(
        {Code::kRecordSourceMismatch, "source", "is not the party that signed the parcel, " + header.party});
  if (envelope.lane_value != header.lane)
    faults.push_back({Code::kRecordLaneMismatch, "lane", "is not the lane of the parcel"});

  // An urgent notice is never refused for what can be verified in the morning.
  soften_for_urgent(envelope, faults);
  if (const auto refusal = refusal_of(faults)) return {verdict_of(index, *refusal, faults), false, {}};
  std::vector<Fault> marks = std::move(faults);
  if ((header.flags & ParcelHeader::kResubmission) != 0 && context.known(id))
    return {RecordVerdict{index, Code::kRecordDuplicate, "the ledger holds this record already"}, false, {}};
  if (std::abs(context.clock_offset_ns) > kClockTolerance_ns)
    marks.push_back({Code::kClockOffset, "",
                     fmt::format("the sender's clock is off by {} s", context.clock_offset_ns / 1'000'000'000)});
  return route(index, envelope, context, incidents, std::move(marks));
}

// Records that go the same way share grants: a parcel of one kind has one group, whatever its size.
void ParcelCheck::Impl::place(std::uint32_t index, Outcome outcome, CheckedParcel& out) {
  if (outcome.verdict) out.verdicts.exceptions.push_back(std::move(*outcome.verdict));
  if (!outcome.goes || outcome.grants.empty()) return;
  std::vector<Grant>& all = out.decision.grants;
  const auto same = [](const Grant& a, const Grant& b) {
    return a.agreement == b.agreement && a.version == b.version && a.flags == b.flags && a.receivers == b.receivers;
  };
  for (Grant& grant : outcome.grants) {
    auto at = std::find_if(all.begin(), all.end(), [&](const Grant& g) { return same(g, grant); });
    if (at == all.end()) {
      grant.records = {{index, 1}};
      all.push_back(std::move(grant));
    } else if (at->records.back().first + at->records.back().count == index) {
      ++at->records.back().count;
    } else {
      at->records.push_back({index, 1});
    }
  }
}

Result<CheckedParcel> ParcelCheck::check(const ParcelView& parcel, const CheckContext& context) {
  const ParcelHeader& header = parcel.header;
  TW_ASSIGN(const trust::GateKeys::Entry* const key,
            context.policy->keys->judge(header.party, header.gate, context.now_unix_ns));
  TW_TRY(trust::check_signature(parcel, key->verifier));
  TW_ASSIGN(const ParcelBody body, ParcelBody::expand(parcel));
  TW_TRY(trust::check_root(parcel, body));

  CheckedParcel out;
  out.ids.resize(body.count());
  for (std::uint32_t i = 0; i < body.count(); ++i) {
    Impl::Outcome outcome = impl_->check_record(i, body.record(i), header, context, incidents_, out.ids[i]);
    if (outcome.too_early) return Error{Code::kBusy, outcome.verdict->text + " yet: its sender is asked for it again"};
    if (outcome.verdict && is_mark(outcome.verdict->code)) ++out.marked;
    if (outcome.verdict && is_refusal(outcome.verdict->code) && outcome.verdict->code != Code::kRecordDuplicate) {
      ++out.refused;
      out.refused_bytes += static_cast<std::uint32_t>(body.record(i).size());
    }
    impl_->place(i, std::move(outcome), out);
  }
  for (const Grant& grant : out.decision.grants)
    for (const std::string& receiver : grant.receivers) {
      auto& list = out.decision.sequences;
      if (std::none_of(list.begin(), list.end(), [&](const auto& s) { return s.receiver == receiver; }))
        list.push_back({receiver, 0});
    }
  return out;
}

}  // namespace thalweg::intake
