#include "model/record.h"

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <bit>
#include <optional>
#include <string>

#include "base/invariant.h"
#include "model/record_rules.h"
#include "model/time.h"

namespace thalweg {
namespace {

namespace ondemand = simdjson::ondemand;
namespace rules = record_rules;

static_assert(kRecordPadding >= simdjson::SIMDJSON_PADDING);

// In the order in which the builder writes them.
enum Attribute : unsigned {
  kSpecVersion,
  kId,
  kSource,
  kType,
  kSubject,
  kTime,
  kLane,
  kExercise,
  kCorrelationId,
  kSubmitter,
  kDataContentType,
  kDataSchema,
  kData,
  kAttributes
};
constexpr std::array<std::string_view, kAttributes> kNames = {
    "specversion",   "id",        "source",          "type",       "subject", "time", "lane", "exercise",
    "correlationid", "submitter", "datacontenttype", "dataschema", "data"};
constexpr unsigned kRequired = 1U << kSpecVersion | 1U << kId | 1U << kSource | 1U << kType | 1U << kSubject |
                               1U << kTime | 1U << kLane | 1U << kData;

/// A name with its closing quote as two words and a mask, to be compared with what stands in the record at one stroke.
struct KeyPattern {
  std::uint64_t word[2] = {};
  std::uint64_t mask[2] = {};
};
constexpr std::array<KeyPattern, kAttributes> make_patterns() {
  std::array<KeyPattern, kAttributes> patterns{};
  for (std::size_t n = 0; n < kAttributes; ++n) {
    for (std::size_t i = 0; i <= kNames[n].size(); ++i) {
      const auto c = static_cast<unsigned char>(i < kNames[n].size() ? kNames[n][i] : '"');
      patterns[n].word[i / 8] |= std::uint64_t{c} << (i % 8 * 8);
      patterns[n].mask[i / 8] |= std::uint64_t{0xff} << (i % 8 * 8);
    }
  }
  return patterns;
}
constexpr auto kPatterns = make_patterns();
static_assert(kNames[kDataContentType].size() == 15, "with its quote the longest name fills a pattern");

/// The attribute whose name begins at `key` (16 bytes are readable: the padding), looked for from `expected` on.
Attribute attribute_at(const char* key, unsigned expected) {
  std::uint64_t word[2];
  std::memcpy(word, key, sizeof word);
  for (unsigned tried = 0, i = expected; tried < kAttributes; ++tried, ++i) {
    if (i >= kAttributes) i = 0;
    const KeyPattern& p = kPatterns[i];
    if ((((word[0] ^ p.word[0]) & p.mask[0]) | ((word[1] ^ p.word[1]) & p.mask[1])) == 0)
      return static_cast<Attribute>(i);
  }
  return kAttributes;
}

std::string_view without_blanks_behind(std::string_view text) {
  while (!text.empty() && (text.back() == ' ' || text.back() == '\n' || text.back() == '\t' || text.back() == '\r')) {
    text.remove_suffix(1);
  }
  return text;
}

/// A value in a message: short, and not cut inside a character.
std::string quoted(std::string_view text) {
  constexpr std::size_t kMost = 40;
  std::size_t size = std::min(text.size(), kMost);
  while (size < text.size() && size > 0 && (static_cast<unsigned char>(text[size]) & 0xc0) == 0x80) --size;
  return '"' + std::string(text.substr(0, size)) + (size < text.size() ? "…\"" : "\"");
}

/// Reads one record. All faults go to one place; the first one is the error.
class Reading {
 public:
  Reading(ondemand::parser& parser, std::string_view record, std::vector<Fault>* faults)
      : parser_(parser), record_(record), faults_(faults) {}

  Result<Envelope> run() {
    read_object();
    if (wants_more()) report_missing();
    if (first_) return *std::move(first_);
    return envelope_;
  }

 private:
  /// A message in both languages.
  struct Message {
    std::string english;
    std::string chinese;
  };

  void fault(Code code, std::string_view path, Message message) {
    if (!first_) first_ = Error{code, path.empty() ? message.english : std::string(path) + ": " + message.english};
    if (faults_ == nullptr || faults_->size() >= kMaxFaults) return;
    faults_->push_back({code, std::string(path), std::move(message.english), std::move(message.chinese)});
  }
  void invalid(std::string_view name, Message message) {
    fault(Code::kRecordAttributeInvalid, name, std::move(message));
  }
  void report_missing() {
    const unsigned missing = kRequired & ~seen_;
    for (unsigned i = 0; i < kAttributes; ++i) {
      if ((missing >> i & 1) == 0) continue;
      fault(Code::kRecordAttributeMissing, kNames[i], {"the attribute is missing", "缺少该属性"});
    }
  }
  bool wants_more() const { return !not_json_ && (!first_ || faults_ != nullptr); }

  void not_json(simdjson::error_code error, ondemand::document* document) {
    not_json_ = true;
    Message message{simdjson::error_message(error), "不是合法的 JSON"};
    switch (error) {
      case simdjson::UTF8_ERROR:
        message = {"the text is not UTF-8", "文本不是 UTF-8 编码"};
        break;
      case simdjson::UNCLOSED_STRING:
        message = {"a string is not closed", "字符串未闭合"};
        break;
      case simdjson::UNESCAPED_CHARS:
        message = {"a string holds a control character that is not escaped", "字符串含有未转义的控制字符"};
        break;
      case simdjson::EMPTY:
        message = {"there is nothing", "内容为空"};
        break;
      case simdjson::TRAILING_CONTENT:
        message = {"something stands behind the record", "记录之后还有内容"};
        break;
      case simdjson::INCORRECT_TYPE:
        message = {"the record is no JSON object", "记录不是 JSON 对象"};
        break;
      default:
        break;
    }
    if (record_.starts_with("\xef\xbb\xbf")) {
      message = {"a byte order mark stands in front of the record", "记录前有字节顺序标记 (BOM)"};
    }
    const char* place = nullptr;
    if (document != nullptr && document->current_location().get(place) == simdjson::SUCCESS &&
        place >= record_.data() && place <= record_.data() + record_.size()) {
      const std::string byte = std::to_string(place - record_.data());
      message.english += ", near byte " + byte;
      message.chinese += "，位置在第 " + byte + " 字节附近";
    }
    fault(Code::kRecordNotJson, "", std::move(message));
  }

  void read_object() {
    ondemand::document document;
    const auto started = parser_.iterate(record_.data(), record_.size(), record_.size() + kRecordPadding).get(document);
    THALWEG_INVARIANT(started != simdjson::MEMALLOC);
    if (started != simdjson::SUCCESS) return not_json(started, nullptr);
    ondemand::object object;
    if (const auto error = document.get_object().get(object)) return not_json(error, &document);
    for (auto entry : object) {
      if (const auto error = entry.error()) return not_json(error, &document);
      // In place: to copy a field that was written a moment ago stalls longer than all else that is done with it.
      read_field(entry.value_unsafe(), document);
      if (!wants_more()) return;
    }
    const char* rest = nullptr;
    if (document.current_location().get(rest) != simdjson::OUT_OF_BOUNDS) {
      not_json(simdjson::TRAILING_CONTENT, &document);
    }
  }

  void read_field(ondemand::field& field, ondemand::document& document) {
    const char* const key = field.key().raw();
    const Attribute attribute = attribute_at(key, expected_);
    if (attribute == kAttributes) {
      // Stage 1 of simdjson has found every string closed, so the search ends inside the record.
      const char* const end = record_.data() + record_.size();
      return read_extension({key, static_cast<std::size_t>(std::find(key, end, '"') - key)}, field.value(), document);
    }
    expected_ = attribute + 1;
    const std::string_view name = kNames[attribute];
    if ((seen_ >> attribute & 1) != 0) return invalid(name, {"the attribute stands twice", "属性重复"});
    seen_ |= 1U << attribute;
    if (attribute == kData) return read_data(field.value(), document);

    const std::string_view token = without_blanks_behind(field.value().raw_json_token());
    if (token.size() < 2 || token.front() != '"') {
      return invalid(name, {"the attribute is no text", "属性不是文本"});
    }
    // No value that set() takes holds a backslash, so none is escaped.
    const std::string_view text = token.substr(1, token.size() - 2);
    set(attribute, name, text);
  }

  void read_data(ondemand::value value, ondemand::document& document) {
    ondemand::object object;
    if (value.get_object().get(object) != simdjson::SUCCESS)
      return invalid(kNames[kData], {"the data is no JSON object", "data 不是 JSON 对象"});
    std::string_view raw;
    if (const auto error = object.raw_json().get(raw)) return not_json(error, &document);
    envelope_.data_raw = without_blanks_behind(raw);
    // Skipping counts brackets of both kinds alike.
    if (!envelope_.data_raw.ends_with('}')) not_json(simdjson::TAPE_ERROR, &document);
  }

  void read_extension(std::string_view name, ondemand::value value, ondemand::document& document) {
    if (!rules::valid_extension_name(name, kMaxExtensionNameBytes)) {
      return invalid(name.substr(0, name.find('\\')).substr(0, kMaxExtensionNameBytes),
                     {"names of further attributes have 1 to 20 lower-case letters and digits",
                      "扩展属性名须为 1 至 20 个小写字母或数字"});
    }
    if (extensions_ == kMaxExtensions)
      return invalid(name, {"there are more than 16 further attributes", "扩展属性超过 16 个"});
    for (std::size_t i = 0; i < extensions_; ++i) {
      if (extension_names_[i] == name) return invalid(name, {"the attribute stands twice", "属性重复"});
    }
    extension_names_[extensions_++] = name;
    const std::string_view token = without_blanks_behind(value.raw_json_token());
    if (token.size() > kMaxExtensionValueBytes)
      return invalid(name, {"the attribute is longer than 1,024 bytes", "属性超过 1024 字节"});
    ondemand::json_type type;
    if (const auto error = value.type().get(type)) return not_json(error, &document);
    simdjson::error_code error = simdjson::SUCCESS;
    switch (type) {
      case ondemand::json_type::string:
        error = value.get_string().error();
        break;
      case ondemand::json_type::boolean:
        error = value.get_bool().error();
        break;
      case ondemand::json_type::number:
        error = value.get_double().error();
        break;
      default:
        return invalid(name,
                       {"further attributes are texts, numbers, true or false", "扩展属性只能是文本、数值或布尔值"});
    }
    if (error) invalid(name, {"the value is no valid JSON", "取值不是合法的 JSON"});
  }

  void set(Attribute attribute, std::string_view name, std::string_view text);

  ondemand::parser& parser_;
  std::string_view record_;
  std::vector<Fault>* faults_;
  std::optional<Error> first_;
  bool not_json_ = false;
  unsigned seen_ = 0;
  unsigned expected_ = 0;
  std::size_t extensions_ = 0;
  std::array<std::string_view, kMaxExtensions> extension_names_;
  Envelope envelope_;
};

void Reading::set(Attribute attribute, std::string_view name, std::string_view text) {
  const auto plain = [&](std::string_view& target, std::size_t limit) {
    if (!rules::plain_text(text, limit)) {
      const std::string most = std::to_string(limit);
      return invalid(name,
                     {"the attribute is empty, longer than " + most + " bytes, or holds a control or escaped character",
                      "属性为空、超过 " + most + " 字节或含有控制、转义字符"});
    }
    target = text;
  };
  switch (attribute) {
    case kSpecVersion:
      if (text != "1.0")
        invalid(name,
                {"only CloudEvents 1.0 is read, not " + quoted(text), "只支持 CloudEvents 1.0，实为 " + quoted(text)});
      break;
    case kId: {
      envelope_.id = text;
      const auto id = Uuid::parse(text);
      const bool lower = std::none_of(text.begin(), text.end(), [](char c) { return c >= 'A' && c <= 'F'; });
      if (!id || !id->is_v7() || !lower) {
        return invalid(name, {"the id is no UUID of version 7 in lower case", "id 不是小写的第 7 版 UUID"});
      }
      envelope_.record_id = *id;
      break;
    }
    case kSource:
      envelope_.source = text;
      envelope_.party = party_of(text);
      if (envelope_.party.empty()) {
        invalid(name, {"the source is not /party/ and a code, but " + quoted(text),
                       "source 应为 /party/ 加主体代码，实为 " + quoted(text)});
      }
      break;
    case kType:
      envelope_.type = text;
      if (!rules::valid_type(text)) {
        invalid(name, {"the type is not 1 to 128 letters, digits, '.', '-' and '_'",
                       "type 须为 1 至 128 个字母、数字、“.”、“-”或“_”"});
      }
      break;
    case kSubject:
      return plain(envelope_.subject, rules::kMaxSubjectBytes);
    case kTime: {
      envelope_.time = text;
      const auto time = parse_rfc3339(text);
      if (!time) {
        return invalid(name, {time.error().message + ": " + quoted(text),
                              "时间须如 2026-09-23T06:00:00+08:00，实为 " + quoted(text)});
      }
      envelope_.time_unix_ns = *time;
      break;
    }
    case kLane: {
      envelope_.lane = text;
      const auto lane = lane_from(text);
      if (!lane) {
        return invalid(name, {lane.error().message + ", not " + quoted(text),
                              "lane 只能是 routine 或 urgent，实为 " + quoted(text)});
      }
      envelope_.lane_value = *lane;
      break;
    }
    case kDataContentType:
      if (text != rules::kContentType) {
        invalid(name, {"the data is application/json, not " + quoted(text),
                       "data 须为 application/json，实为 " + quoted(text)});
      }
      break;
    case kDataSchema:
      return plain(envelope_.dataschema, rules::kMaxUriBytes);
    case kExercise:
      return plain(envelope_.exercise, rules::kMaxReferenceBytes);
    case kCorrelationId:
      return plain(envelope_.correlationid, rules::kMaxReferenceBytes);
    case kSubmitter:
      return plain(envelope_.submitter, rules::kMaxReferenceBytes);
    case kData:
    case kAttributes:
      break;
  }
}

}  // namespace

struct RecordReader::Impl {
  ondemand::parser parser{kMaxRecordBytes};
  std::unique_ptr<char[]> copy;
  std::size_t copy_size = 0;
};

RecordReader::RecordReader() : impl_(std::make_unique<Impl>()) {}
RecordReader::~RecordReader() = default;
RecordReader::RecordReader(RecordReader&&) noexcept = default;
RecordReader& RecordReader::operator=(RecordReader&&) noexcept = default;

Result<Envelope> RecordReader::read(ByteView record, std::vector<Fault>* faults) {
  if (record.size() > kMaxRecordBytes) {
    const std::string size = std::to_string(record.size());
    Error error{Code::kRecordTooLarge, "the record has " + size + " bytes, over 1 MiB"};
    if (faults != nullptr && faults->size() < kMaxFaults) {
      faults->push_back({error.code, "", error.message, "记录有 " + size + " 字节，超过 1 MiB"});
    }
    return error;
  }
  ondemand::parser& parser = impl_->parser;
  if (record.size() > parser.capacity() || parser.capacity() == 0) {
    // In steps of two, so that records that grow byte by byte do not cost an allocation each.
    constexpr std::size_t kSmallest = 16 << 10;
    const auto error = parser.allocate(std::max(kSmallest, std::bit_ceil(record.size())));
    THALWEG_INVARIANT(error == simdjson::SUCCESS);
  }
  return Reading(parser, as_text(record), faults).run();
}

Result<Envelope> RecordReader::read_copy(ByteView record, std::vector<Fault>* faults) {
  if (record.size() > kMaxRecordBytes) return read(record, faults);  // refused before a byte is read
  if (impl_->copy_size < record.size() + kRecordPadding) {
    impl_->copy_size = std::bit_ceil(record.size() + kRecordPadding);
    impl_->copy = std::make_unique<char[]>(impl_->copy_size);
  }
  char* const copy = impl_->copy.get();
  if (!record.empty()) std::memcpy(copy, record.data(), record.size());
  TW_ASSIGN(Envelope envelope, read(as_bytes({copy, record.size()}), faults));
  const std::string_view original = as_text(record);
  for (std::string_view* view : {&envelope.id, &envelope.source, &envelope.party, &envelope.type, &envelope.subject,
                                 &envelope.time, &envelope.lane, &envelope.dataschema, &envelope.exercise,
                                 &envelope.correlationid, &envelope.submitter, &envelope.data_raw}) {
    if (!view->empty()) *view = original.substr(static_cast<std::size_t>(view->data() - copy), view->size());
  }
  return envelope;
}

std::string_view party_of(std::string_view source) {
  if (!source.starts_with(rules::kSourcePrefix)) return {};
  source.remove_prefix(rules::kSourcePrefix.size());
  return valid_code(source) ? source : std::string_view{};
}

}  // namespace thalweg
