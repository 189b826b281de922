// record_checker.cc: checks a whole record: its attributes, then its data against the schema of its type.
#include "model/record_checker.h"

#include <algorithm>

#include "model/nearest.h"

namespace thalweg {
namespace {

Fault unknown_type(const SchemaSet& schemas, std::string_view type) {
  std::string en = "'" + std::string(type) + "' is not a known type";
  std::string zh = "未知类型“" + std::string(type) + "”";
  std::string names;
  for (const std::string& name : nearest(type, schemas.types())) names += (names.empty() ? "" : ", ") + name;
  if (!names.empty()) {
    en += "; near: " + names;
    zh += "；相近：" + names;
  }
  return {Code::kRecordTypeUnknown, "type", std::move(en), std::move(zh)};
}

void add(std::vector<Fault>& faults, Fault fault) {
  if (faults.size() < kMaxFaults) faults.push_back(std::move(fault));
}

}  // namespace

// Mostly the attributes that the walk over `data` needs stand in front of it, and one pass does all.
template <class Read>
Result<Envelope> RecordChecker::check_by(const Read& read, std::vector<Fault>& faults) {
  faults.clear();
  data_faults_.clear();
  bool walked = false, known_shape = false;
  auto envelope = read(
      [&](TokenStream& tokens, std::uint32_t first, const Envelope& so_far) -> std::uint32_t {
        if (so_far.type.empty() || so_far.subject.empty()) return 0;
        walked = true;
        return check_data(so_far, tokens, first);
      },
      [&](const TokenStream& tokens, Envelope& out) { return known_shape = shapes_.fits(tokens, out); });
  if (known_shape) return envelope;
  const Envelope& known = envelope ? *envelope : reader_.partial();
  // What is wrong with the data is said beside what is wrong with the attributes, so that one attempt shows a person
  // everything. `type` may itself be what is wrong: then the data is left alone.
  const bool usable = reader_.data_token() != 0 && (envelope || schemas_.find(known.type) != nullptr);
  if (!usable) {
    data_faults_.clear();
  } else if (!walked) {
    check_data(known, reader_.tokens(), reader_.data_token());
  }
  if (usable && !known.dataschema.empty()) {
    const Schema* schema = schemas_.find(known.type);
    if (schema != nullptr && known.dataschema != schema->id())
      add(faults, {Code::kRecordAttributeInvalid, "dataschema", "must be " + schema->id(), "应为 " + schema->id()});
  }
  for (Fault& fault : data_faults_) add(faults, std::move(fault));
  if (envelope && faults.empty() && shapes_.wants(reader_.tokens())) learn(known.type);
  return envelope;
}

Result<Envelope> RecordChecker::check(ByteView record, std::vector<Fault>& faults) {
  return check_by([&](const auto& walk, const auto& known) { return reader_.read(record, &faults, walk, known); },
                  faults);
}

Result<Envelope> RecordChecker::check_copy(ByteView record, std::vector<Fault>& faults) {
  return check_by([&](const auto& walk, const auto& known) { return reader_.read_copy(record, &faults, walk, known); },
                  faults);
}

std::uint32_t RecordChecker::check_data(const Envelope& envelope, TokenStream& tokens, std::uint32_t first) {
  WalkTask task;
  task.tokens = &tokens;
  task.first = first;
  task.root_path = "data";
  task.depth = 2;
  if (const Schema* schema = schemas_.find(envelope.type)) {
    task.subject = envelope.subject;
    walker_.check(*schema, task, data_faults_);
  } else {
    add(data_faults_, unknown_type(schemas_, envelope.type));
    walker_.check_json(task, data_faults_);
  }
  return walker_.end_token();
}

Code softened_for_urgent(const Envelope& envelope, Code code) {
  if (envelope.type != kNoticeType || envelope.lane_value != Lane::kUrgent) return code;
  switch (code) {
    case Code::kSectionUnknown:
    case Code::kFactorUnknown:
    case Code::kClockOffset:
      return Code::kMarkedUnverified;
    default:
      return code;
  }
}

// Walks once more, and this time asks for what was there.
void RecordChecker::learn(std::string_view type) {
  WalkTask task;
  task.tokens = &reader_.tokens();
  task.first = reader_.data_token();
  task.depth = 2;
  std::vector<WalkedScalar> scalars;
  task.scalars = &scalars;
  if (!walker_.check(*schemas_.find(type), task, data_faults_)) return;
  shapes_.learn(reader_.tokens(), RecordShape(reader_.tokens(), scalars, reader_.data_token()));
}

void soften_for_urgent(const Envelope& envelope, std::vector<Fault>& faults) {
  for (Fault& fault : faults) fault.code = softened_for_urgent(envelope, fault.code);
}

}  // namespace thalweg
