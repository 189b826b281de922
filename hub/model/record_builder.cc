#include "model/record_builder.h"

#include <simdjson.h>

#include <bit>

#include "base/invariant.h"
#include "model/record.h"
#include "model/record_rules.h"
#include "model/time.h"

namespace thalweg {
namespace {

namespace rules = record_rules;

constexpr std::string_view kSchemaPrefix = "https://thalweg.example/schemas/", kSchemaSuffix = ".json";
constexpr std::string_view kBlanks = " \t\r\n";

Status check_text(std::string_view name, std::string_view text, std::size_t limit) {
  const std::string path(name);
  if (text.empty()) return Error{Code::kRecordAttributeMissing, path + ": the attribute is missing"};
  if (rules::plain_text(text, limit) && simdjson::validate_utf8(text.data(), text.size())) return {};
  return Error{Code::kRecordAttributeInvalid, path + ": the attribute is longer than " + std::to_string(limit) +
                                                  " bytes, is not UTF-8, or holds a control character, '\"' or '\\'"};
}

Status check_attributes(const Draft& draft) {
  const auto invalid = [](const char* what) { return Error{Code::kRecordAttributeInvalid, what}; };
  if (!draft.id.is_v7()) return invalid("id: the id is no UUID of version 7");
  if (!valid_code(draft.party)) return invalid("source: the party is no code");
  if (draft.type.empty()) return Error{Code::kRecordAttributeMissing, "type: the attribute is missing"};
  if (!rules::valid_type(draft.type)) return invalid("type: the type is not made of letters, digits, '.', '-' and '_'");
  TW_TRY(check_text("subject", draft.subject, rules::kMaxSubjectBytes));
  if (draft.time.empty()) return Error{Code::kRecordAttributeMissing, "time: the attribute is missing"};
  if (auto time = parse_rfc3339(draft.time); !time) {
    return Error{Code::kRecordAttributeInvalid, "time: " + time.error().message};
  }
  if (!draft.exercise.empty()) TW_TRY(check_text("exercise", draft.exercise, rules::kMaxReferenceBytes));
  if (!draft.correlation.empty()) TW_TRY(check_text("correlationid", draft.correlation, rules::kMaxReferenceBytes));
  if (!draft.submitter.empty()) TW_TRY(check_text("submitter", draft.submitter, rules::kMaxReferenceBytes));
  return {};
}

/// True when `data`, padding behind it, is one object that ends where `data` ends. Otherwise what stands in it could
/// close the object and add attributes to the record. The reader finds the end of `data` by the same rule.
Status check_one_object(ByteView data) {
  thread_local simdjson::ondemand::parser parser{kMaxRecordBytes};
  if (data.size() > parser.capacity()) {
    const auto allocated = parser.allocate(std::max(std::size_t{16} << 10, std::bit_ceil(data.size())));
    THALWEG_INVARIANT(allocated == simdjson::SUCCESS);
  }
  const Error bad{Code::kRecordNotJson, "data: not one JSON object"};
  simdjson::ondemand::document document;
  if (parser.iterate(data.data(), data.size(), data.size() + kRecordPadding).get(document)) return bad;
  simdjson::ondemand::object object;
  if (document.get_object().get(object)) return bad;
  std::string_view raw;
  if (object.raw_json().get(raw) || raw.size() != data.size()) return bad;
  return {};
}

/// Lays the record out and looks at nothing but its size. Where `data` stands in it.
Result<ByteView> append_record(const Draft& draft, Bytes& out) {
  std::string_view data = draft.data_json;
  data.remove_prefix(std::min(data.find_first_not_of(kBlanks), data.size()));
  data = data.substr(0, data.find_last_not_of(kBlanks) + 1);
  if (data.empty()) return Error{Code::kRecordAttributeMissing, "data: the data is missing"};

  out.reserve(data.size() + 1024 + kRecordPadding);
  ByteWriter writer(out);
  const auto add = [&](std::string_view text) { writer.raw(as_bytes(text)); };
  const auto add_optional = [&](std::string_view name, std::string_view text) {
    if (text.empty()) return;
    add("\",\"");
    add(name);
    add("\":\"");
    add(text);
  };
  // The order of docs/formats/record.md: what routing asks for stands in front.
  add("{\"specversion\":\"1.0\",\"id\":\"");
  add(draft.id.text());
  add("\",\"source\":\"");
  add(rules::kSourcePrefix);
  add(draft.party);
  add("\",\"type\":\"");
  add(draft.type);
  add("\",\"subject\":\"");
  add(draft.subject);
  add("\",\"time\":\"");
  add(draft.time);
  add("\",\"lane\":\"");
  add(name(draft.lane));
  add_optional("exercise", draft.exercise);
  add_optional("correlationid", draft.correlation);
  add_optional("submitter", draft.submitter);
  add("\",\"datacontenttype\":\"");
  add(rules::kContentType);
  add("\",\"dataschema\":\"");
  add(kSchemaPrefix);
  add(draft.type);
  add(kSchemaSuffix);
  add("\",\"data\":");
  const std::size_t data_at = out.size();
  add(data);
  const std::size_t data_end = out.size();
  add("}");
  if (out.size() > kMaxRecordBytes) {
    return Error{Code::kRecordTooLarge, "the record would have " + std::to_string(out.size()) + " bytes"};
  }
  // The padding is written and cut off again, so that reading it is defined.
  const std::size_t size = out.size();
  out.resize(size + kRecordPadding);
  out.resize(size);
  return ByteView(out).subspan(data_at, data_end - data_at);
}

/// Whether the record says what the draft says and nothing else: a text could close its quotes, the data its bracket.
bool says_the_same(const Envelope& record, const Draft& draft, ByteView data) {
  return record.record_id == draft.id && record.party == draft.party && record.type == draft.type &&
         record.subject == draft.subject && record.time == draft.time && record.lane_value == draft.lane &&
         record.exercise == draft.exercise && record.correlationid == draft.correlation &&
         record.submitter == draft.submitter && record.data_raw.data() == as_text(data).data() &&
         record.data_raw.size() == data.size();
}

}  // namespace

Status build_record(const Draft& draft, Bytes& out) {
  out.clear();
  const auto built = [&]() -> Status {
    TW_TRY(check_attributes(draft));
    TW_ASSIGN(const ByteView data, append_record(draft, out));
    return check_one_object(data);
  };
  Status status = built();
  if (!status) out.clear();
  return status;
}

Result<Envelope> build_checked_record(const Draft& draft, RecordChecker& checker, Bytes& out,
                                      std::vector<Fault>& faults) {
  out.clear();
  if (const auto data = append_record(draft, out)) {
    Result<Envelope> checked = checker.check(out, faults);
    if (checked && says_the_same(*checked, draft, *data)) return checked;
  }
  // The builder says better than the reader what is wrong with a draft.
  faults.clear();
  TW_TRY(build_record(draft, out));
  return checker.check(out, faults);
}

std::string schema_uri(std::string_view type) { return std::string(kSchemaPrefix).append(type).append(kSchemaSuffix); }

}  // namespace thalweg
