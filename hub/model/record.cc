#include "model/record.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <optional>
#include <string>

#include "model/json_token.h"
#include "model/record_attributes.h"
#include "model/record_rules.h"
#include "model/token_stream.h"

namespace thalweg {
namespace {

namespace rules = record_rules;

constexpr unsigned kRequired = 1U << kSpecVersion | 1U << kId | 1U << kSource | 1U << kType | 1U << kSubject |
                               1U << kTime | 1U << kLane | 1U << kData;

/// Reads one record. All faults go to one place; the first one is the error.
class Reading {
 public:
  Reading(TokenStream& tokens, std::string_view record, std::vector<Fault>* faults, const RecordReader::DataWalk& walk)
      : tokens_(tokens), record_(record), faults_(faults), walk_(walk) {}

  Result<Envelope> run(const RecordReader::Known& known) {
    if (const auto none = tokens_.open(as_bytes(record_))) {
      const TokenFaultWords why = words(*none);
      not_json({std::string(why.english), std::string(why.chinese)});
    } else if (known) {
      if (known(tokens_, envelope_)) return envelope_;
      envelope_ = {};
    }
    if (!not_json_) read_object();
    if (wants_more()) report_missing();
    if (first_) return *std::move(first_);
    return envelope_;
  }
  const Envelope& envelope() const { return envelope_; }
  std::uint32_t data_token() const { return not_json_ ? 0 : data_token_; }

 private:
  using Message = AttributeFault;

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
      fault(Code::kRecordAttributeMissing, kAttributeNames[i], {"the attribute is missing", "缺少该属性"});
    }
  }
  bool wants_more() const { return !not_json_ && (!first_ || faults_ != nullptr); }

  void not_json(Message message) {
    not_json_ = true;
    if (record_.starts_with("\xef\xbb\xbf")) {
      message = {"a byte order mark stands in front of the record", "记录前有字节顺序标记 (BOM)"};
    }
    fault(Code::kRecordNotJson, "", std::move(message));
  }
  /// What stands at the next token is not what JSON has there.
  void broken(std::string_view english, std::string_view chinese) {
    const std::string byte = std::to_string(tokens_.offset(std::min(next_, tokens_.size())));
    not_json({std::string(english) + ", at byte " + byte, std::string(chinese) + "，位置在第 " + byte + " 字节"});
  }

  void read_object() {
    if (tokens_.first(0) != '{') return not_json({"the record is no JSON object", "记录不是 JSON 对象"});
    next_ = 1;
    bool more = tokens_.first(next_) != '}';
    if (!more) ++next_;
    while (more) {
      if (tokens_.first(next_) != '"') return broken("a name is missing", "缺少属性名");
      const std::uint32_t key = next_++;
      if (tokens_.first(next_) != ':') return broken("a colon is missing", "缺少冒号");
      ++next_;
      read_member(key);
      if (!wants_more()) return;
      const char c = tokens_.first(next_);
      if (c != ',' && c != '}') return broken("a comma or the closing bracket is missing", "缺少逗号或右括号");
      ++next_;
      more = c == ',';
    }
    if (next_ < tokens_.size()) broken("something stands behind the record", "记录之后还有内容");
  }

  /// Steps over the value at the next token.
  void skip() {
    switch (tokens_.first(next_)) {
      case '{':
      case '[': {
        const auto behind = tokens_.behind(next_);
        if (!behind) {
          next_ = tokens_.size();
          return broken("a bracket is not closed", "括号未闭合");
        }
        next_ = *behind;
        return;
      }
      case '}':
      case ']':
      case ',':
      case ':':
      case '\0':
        return broken("a value is missing", "缺少取值");
      default:
        ++next_;
    }
  }

  void read_member(std::uint32_t key_token) {
    const char* const key = tokens_.at(key_token) + 1;
    const Attribute attribute = attribute_at(key, expected_);
    if (attribute == kAttributes) return read_extension(tokens_.token(key_token));
    expected_ = attribute + 1;
    const std::string_view name = kAttributeNames[attribute];
    if ((seen_ >> attribute & 1) != 0) {
      invalid(name, {"the attribute stands twice", "属性重复"});
      return skip();
    }
    seen_ |= 1U << attribute;
    if (attribute == kData) return read_data();
    if (tokens_.first(next_) != '"') {
      invalid(name, {"the attribute is no text", "属性不是文本"});
      return skip();
    }
    // The first stage has found every string closed. No value that is taken holds a backslash, so none is escaped.
    const std::string_view token = tokens_.token(next_++);
    if (auto wrong = set_attribute(attribute, token.substr(1, token.size() - 2), envelope_))
      invalid(name, std::move(*wrong));
  }

  void read_data() {
    if (tokens_.first(next_) != '{') {
      invalid(kAttributeNames[kData], {"the data is no JSON object", "data 不是 JSON 对象"});
      return skip();
    }
    const std::uint32_t first = next_;
    next_ = walk_ ? walk_(tokens_, first, envelope_) : 0;
    if (next_ == 0) {
      next_ = first;
      skip();
      if (not_json_) return;
    }
    const std::uint32_t begin = tokens_.offset(first), last = tokens_.offset(next_ - 1);
    // Skipping counts brackets of both kinds alike.
    if (record_[last] != '}') return broken("a bracket is not closed", "括号未闭合");
    data_token_ = first;
    envelope_.data_raw = record_.substr(begin, last + 1 - begin);
  }

  /// `key` is the name with its quotes.
  void read_extension(std::string_view key) {
    const std::string_view name = key.substr(1, key.size() - 2);
    if (!rules::valid_extension_name(name, kMaxExtensionNameBytes)) {
      invalid(name.substr(0, name.find('\\')).substr(0, kMaxExtensionNameBytes),
              {"names of further attributes have 1 to 20 lower-case letters and digits",
               "扩展属性名须为 1 至 20 个小写字母或数字"});
      return skip();
    }
    if (extensions_ == kMaxExtensions) {
      invalid(name, {"there are more than 16 further attributes", "扩展属性超过 16 个"});
      return skip();
    }
    for (std::size_t i = 0; i < extensions_; ++i) {
      if (extension_names_[i] != name) continue;
      invalid(name, {"the attribute stands twice", "属性重复"});
      return skip();
    }
    extension_names_[extensions_++] = name;
    const char c = tokens_.first(next_);
    const std::uint32_t token_at = next_;
    skip();
    if (not_json_) return;
    if (c == '{' || c == '[') return not_a_scalar(name);
    const std::string_view token = tokens_.token(token_at);
    if (token.size() > kMaxExtensionValueBytes)
      return invalid(name, {"the attribute is longer than 1,024 bytes", "属性超过 1024 字节"});
    if (token == "null") return not_a_scalar(name);
    const bool valid = c == '"' ? tokens_.unescaped(token).has_value()
                                : token == "true" || token == "false" || is_finite_number(token);
    if (!valid) invalid(name, {"the value is no valid JSON", "取值不是合法的 JSON"});
  }
  void not_a_scalar(std::string_view name) {
    invalid(name, {"further attributes are texts, numbers, true or false", "扩展属性只能是文本、数值或布尔值"});
  }
  static bool is_finite_number(std::string_view token) {
    if (number_form(token) == NumberForm::kNone) return false;
    const double value = number_value(token);
    return value - value == 0;
  }

  TokenStream& tokens_;
  std::string_view record_;
  std::vector<Fault>* faults_;
  const RecordReader::DataWalk& walk_;
  std::uint32_t next_ = 0;  // the first token that was not read
  std::uint32_t data_token_ = 0;
  std::optional<Error> first_;
  bool not_json_ = false;
  unsigned seen_ = 0;
  unsigned expected_ = 0;
  std::size_t extensions_ = 0;
  std::array<std::string_view, kMaxExtensions> extension_names_;
  Envelope envelope_;
};

}  // namespace

struct RecordReader::Impl {
  TokenStream tokens;
  Envelope partial;
  std::uint32_t data_token = 0;
  std::unique_ptr<char[]> copy;
  std::size_t copy_size = 0;
};

RecordReader::RecordReader() : impl_(std::make_unique<Impl>()) {}
RecordReader::~RecordReader() = default;
RecordReader::RecordReader(RecordReader&&) noexcept = default;
RecordReader& RecordReader::operator=(RecordReader&&) noexcept = default;

Result<Envelope> RecordReader::read(ByteView record, std::vector<Fault>* faults, const DataWalk& walk,
                                    const Known& known) {
  impl_->data_token = 0;
  if (record.size() > kMaxRecordBytes) {
    const std::string size = std::to_string(record.size());
    Error error{Code::kRecordTooLarge, "the record has " + size + " bytes, over 1 MiB"};
    if (faults != nullptr && faults->size() < kMaxFaults) {
      faults->push_back({error.code, "", error.message, "记录有 " + size + " 字节，超过 1 MiB"});
    }
    return error;
  }
  Reading reading(impl_->tokens, as_text(record), faults, walk);
  Result<Envelope> envelope = reading.run(known);
  impl_->data_token = reading.data_token();
  if (!envelope) impl_->partial = reading.envelope();
  return envelope;
}

Result<Envelope> RecordReader::read_copy(ByteView record, std::vector<Fault>* faults, const DataWalk& walk,
                                         const Known& known) {
  if (record.size() > kMaxRecordBytes) return read(record, faults);  // refused before a byte is read
  if (impl_->copy_size < record.size() + kRecordPadding) {
    impl_->copy_size = std::bit_ceil(record.size() + kRecordPadding);
    impl_->copy = std::make_unique<char[]>(impl_->copy_size);
  }
  char* const copy = impl_->copy.get();
  if (!record.empty()) std::memcpy(copy, record.data(), record.size());
  TW_ASSIGN(Envelope envelope, read(as_bytes({copy, record.size()}), faults, walk, known));
  const std::string_view original = as_text(record);
  for (std::string_view* view : {&envelope.id, &envelope.source, &envelope.party, &envelope.type, &envelope.subject,
                                 &envelope.time, &envelope.lane, &envelope.dataschema, &envelope.exercise,
                                 &envelope.correlationid, &envelope.submitter, &envelope.data_raw}) {
    if (!view->empty()) *view = original.substr(static_cast<std::size_t>(view->data() - copy), view->size());
  }
  return envelope;
}

const Envelope& RecordReader::partial() const { return impl_->partial; }
std::uint32_t RecordReader::data_token() const { return impl_->data_token; }
TokenStream& RecordReader::tokens() { return impl_->tokens; }

std::string_view party_of(std::string_view source) {
  if (!source.starts_with(rules::kSourcePrefix)) return {};
  source.remove_prefix(rules::kSourcePrefix.size());
  return valid_code(source) ? source : std::string_view{};
}

}  // namespace thalweg
