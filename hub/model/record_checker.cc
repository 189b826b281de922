// record_checker.cc: checks a whole record: its attributes, then its data against the schema of its type.
#include "model/record_checker.h"

#include <simdjson.h>

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

Result<Envelope> RecordChecker::check(ByteView record, std::vector<Fault>& faults) {
  faults.clear();
  auto envelope = reader_.read(record, &faults);
  if (!envelope) {
    check_data_of_broken(record, faults);
    return envelope;
  }
  check_data(*envelope, record, faults);
  return envelope;
}

Result<Envelope> RecordChecker::check_copy(ByteView record, std::vector<Fault>& faults) {
  faults.clear();
  auto envelope = reader_.read_copy(record, &faults);
  if (record.size() > kMaxRecordBytes) return envelope;
  // The data is copied a second time, to an address that the walker's views may keep.
  copy_.assign(record.begin(), record.end());
  copy_.resize(record.size() + kRecordPadding);
  const ByteView padded = ByteView(copy_).first(record.size());
  if (!envelope) {
    check_data_of_broken(padded, faults);
    return envelope;
  }
  Envelope moved = *envelope;
  moved.data_raw = as_text(padded).substr(static_cast<std::size_t>(envelope->data_raw.data() - as_text(record).data()),
                                          moved.data_raw.size());
  check_data(moved, padded, faults);
  return envelope;
}

void RecordChecker::check_data(const Envelope& envelope, ByteView record, std::vector<Fault>& faults) {
  WalkTask task;
  task.json = as_bytes(envelope.data_raw);
  task.root_path = "data";
  task.depth = 2;
  task.offset = static_cast<std::size_t>(envelope.data_raw.data() - as_text(record).data());
  const Schema* schema = schemas_.find(envelope.type);
  if (schema == nullptr) {
    add(faults, unknown_type(schemas_, envelope.type));
    walker_.check_json(task, faults);
    return;
  }
  if (!envelope.dataschema.empty() && envelope.dataschema != schema->id()) {
    add(faults, {Code::kRecordAttributeInvalid, "dataschema", "must be " + schema->id(), "应为 " + schema->id()});
  }
  task.subject = envelope.subject;
  walker_.check(*schema, task, faults);
}

// The attributes do not hold, so there is no envelope; what is wrong with the data is said all the same, so that one
// attempt shows a person everything. `type` may itself be what is wrong: then the data is left alone.
void RecordChecker::check_data_of_broken(ByteView record, std::vector<Fault>& faults) {
  namespace ondemand = simdjson::ondemand;
  const bool hopeless = std::any_of(faults.begin(), faults.end(), [](const Fault& fault) {
    return fault.code == Code::kRecordNotJson || fault.code == Code::kRecordTooLarge;
  });
  if (hopeless || record.empty()) return;
  const std::string_view text = as_text(record);
  ondemand::parser parser;
  ondemand::document document;
  ondemand::object attributes;
  if (parser.iterate(text.data(), text.size(), text.size() + kRecordPadding).get(document)) return;
  if (document.get_object().get(attributes)) return;
  Envelope partial;
  for (auto entry : attributes) {
    ondemand::field field;
    if (std::move(entry).get(field)) return;
    if (field.key() == "type") {
      std::string_view type;
      if (field.value().get_string().get(type)) return;
      partial.type = type;
    } else if (field.key() == "data") {
      ondemand::object data;
      if (field.value().get_object().get(data) || data.raw_json().get(partial.data_raw)) return;
    }
  }
  while (!partial.data_raw.empty() && partial.data_raw.back() != '}') partial.data_raw.remove_suffix(1);
  const Schema* schema = schemas_.find(partial.type);
  if (schema == nullptr || partial.data_raw.empty()) return;
  WalkTask task;
  task.json = as_bytes(partial.data_raw);
  task.root_path = "data";
  task.depth = 2;
  task.offset = static_cast<std::size_t>(partial.data_raw.data() - text.data());
  walker_.check(*schema, task, faults);
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

void soften_for_urgent(const Envelope& envelope, std::vector<Fault>& faults) {
  for (Fault& fault : faults) fault.code = softened_for_urgent(envelope, fault.code);
}

}  // namespace thalweg
