#include "intake/question.h"

#include <simdjson.h>

namespace thalweg::intake {
namespace {

namespace dom = simdjson::ondemand;
using region::Family;

// Text without escapes can be used where it stands; what has escapes is unescaped into the parser's memory.
std::string_view text_of(dom::value value) {
  std::string_view text;
  return value.get_string().get(text) == simdjson::SUCCESS ? text : std::string_view{};
}

}  // namespace

struct QuestionReader::Impl {
  dom::parser parser;
  std::vector<std::string_view> parties;

  void read_data(const Envelope& envelope, Family family, RecordQuestion& out);
  void read_parties(dom::value value);
};

QuestionReader::QuestionReader() : impl_(std::make_unique<Impl>()) {}
QuestionReader::~QuestionReader() = default;

void QuestionReader::Impl::read_parties(dom::value value) {
  dom::array list;
  if (value.get_array().get(list) != simdjson::SUCCESS) return;
  for (auto element : list) {
    dom::object party;
    dom::value code;
    if (element.get_object().get(party) != simdjson::SUCCESS) return;
    if (party["code"].get(code) == simdjson::SUCCESS) parties.push_back(text_of(code));
  }
}

void QuestionReader::Impl::read_data(const Envelope& envelope, Family family, RecordQuestion& out) {
  dom::document document;
  dom::object data;
  const std::string_view raw = envelope.data_raw;
  if (parser.iterate(raw.data(), raw.size(), raw.size() + kRecordPadding).get(document) != simdjson::SUCCESS ||
      document.get_object().get(data) != simdjson::SUCCESS)
    return;
  routing::Question& q = out.question;
  for (auto field : data) {
    std::string_view key;
    dom::value value;
    if (field.unescaped_key().get(key) != simdjson::SUCCESS || field.value().get(value) != simdjson::SUCCESS) return;
    if (key == "section") {
      q.section = text_of(value);
    } else if (key == "river") {
      q.river = text_of(value);
    } else if (key == "incident") {
      out.incident = text_of(value);
    } else if (family == Family::kEmergencyNotice && key == "kind") {
      q.notice = routing::notice_kind_from(text_of(value));
    } else if (family == Family::kEnforcement && key == "parties") {
      read_parties(value);
    } else if (family == Family::kReceipt && key == "record") {
      if (auto id = Uuid::parse(text_of(value))) out.answered = *id;
    }
  }
  q.case_parties = parties;
}

RecordQuestion QuestionReader::read(const Envelope& envelope) {
  RecordQuestion out;
  routing::Question& q = out.question;
  q.party = envelope.party;
  q.type = envelope.type;
  q.lane = envelope.lane_value;
  impl_->parties.clear();
  const Family family = region::family_of(envelope.type);
  if (family == Family::kSectionData) {
    q.section = envelope.subject;
  } else {
    impl_->read_data(envelope, family, out);
  }
  return out;
}

}  // namespace thalweg::intake
