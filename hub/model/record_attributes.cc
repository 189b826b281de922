// record_attributes.cc: the attributes of a record by name, and what each may say.
#include "model/record_attributes.h"

#include <algorithm>
#include <cstring>

#include "model/record_rules.h"
#include "model/time.h"

namespace thalweg {
namespace {

namespace rules = record_rules;

/// A name with its closing quote as two words and a mask, to be compared with what stands in the record at one stroke.
struct KeyPattern {
  std::uint64_t word[2] = {};
  std::uint64_t mask[2] = {};
};
constexpr std::array<KeyPattern, kAttributes> make_patterns() {
  std::array<KeyPattern, kAttributes> patterns{};
  for (std::size_t n = 0; n < kAttributes; ++n) {
    for (std::size_t i = 0; i <= kAttributeNames[n].size(); ++i) {
      const auto c = static_cast<unsigned char>(i < kAttributeNames[n].size() ? kAttributeNames[n][i] : '"');
      patterns[n].word[i / 8] |= std::uint64_t{c} << (i % 8 * 8);
      patterns[n].mask[i / 8] |= std::uint64_t{0xff} << (i % 8 * 8);
    }
  }
  return patterns;
}
constexpr auto kPatterns = make_patterns();
static_assert(kAttributeNames[kDataContentType].size() == 15, "with its quote the longest name fills a pattern");

/// A value in a message: short, and not cut inside a character.
std::string quoted(std::string_view text) {
  constexpr std::size_t kMost = 40;
  std::size_t size = std::min(text.size(), kMost);
  while (size < text.size() && size > 0 && (static_cast<unsigned char>(text[size]) & 0xc0) == 0x80) --size;
  return '"' + std::string(text.substr(0, size)) + (size < text.size() ? "…\"" : "\"");
}

}  // namespace

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

std::optional<AttributeFault> set_attribute(Attribute attribute, std::string_view text, Envelope& envelope) {
  const auto plain = [&](std::string_view& target, std::size_t limit) -> std::optional<AttributeFault> {
    if (!rules::plain_text(text, limit)) {
      const std::string most = std::to_string(limit);
      return AttributeFault{
          "the attribute is empty, longer than " + most + " bytes, or holds a control or escaped character",
          "属性为空、超过 " + most + " 字节或含有控制、转义字符"};
    }
    target = text;
    return std::nullopt;
  };
  switch (attribute) {
    case kSpecVersion:
      if (text != "1.0")
        return AttributeFault{"only CloudEvents 1.0 is read, not " + quoted(text),
                              "只支持 CloudEvents 1.0，实为 " + quoted(text)};
      return std::nullopt;
    case kId: {
      envelope.id = text;
      const auto id = Uuid::parse(text);
      const bool lower = std::none_of(text.begin(), text.end(), [](char c) { return c >= 'A' && c <= 'F'; });
      if (!id || !id->is_v7() || !lower)
        return AttributeFault{"the id is no UUID of version 7 in lower case", "id 不是小写的第 7 版 UUID"};
      envelope.record_id = *id;
      return std::nullopt;
    }
    case kSource:
      envelope.source = text;
      envelope.party = party_of(text);
      if (envelope.party.empty())
        return AttributeFault{"the source is not /party/ and a code, but " + quoted(text),
                              "source 应为 /party/ 加主体代码，实为 " + quoted(text)};
      return std::nullopt;
    case kType:
      envelope.type = text;
      if (!rules::valid_type(text))
        return AttributeFault{"the type is not 1 to 128 letters, digits, '.', '-' and '_'",
                              "type 须为 1 至 128 个字母、数字、“.”、“-”或“_”"};
      return std::nullopt;
    case kSubject:
      return plain(envelope.subject, rules::kMaxSubjectBytes);
    case kTime: {
      envelope.time = text;
      const auto time = parse_rfc3339(text);
      if (!time)
        return AttributeFault{time.error().message + ": " + quoted(text),
                              "时间须如 2026-09-23T06:00:00+08:00，实为 " + quoted(text)};
      envelope.time_unix_ns = *time;
      return std::nullopt;
    }
    case kLane: {
      envelope.lane = text;
      const auto lane = lane_from(text);
      if (!lane)
        return AttributeFault{lane.error().message + ", not " + quoted(text),
                              "lane 只能是 routine 或 urgent，实为 " + quoted(text)};
      envelope.lane_value = *lane;
      return std::nullopt;
    }
    case kDataContentType:
      if (text != rules::kContentType)
        return AttributeFault{"the data is application/json, not " + quoted(text),
                              "data 须为 application/json，实为 " + quoted(text)};
      return std::nullopt;
    case kDataSchema:
      return plain(envelope.dataschema, rules::kMaxUriBytes);
    case kExercise:
      return plain(envelope.exercise, rules::kMaxReferenceBytes);
    case kCorrelationId:
      return plain(envelope.correlationid, rules::kMaxReferenceBytes);
    case kSubmitter:
      return plain(envelope.submitter, rules::kMaxReferenceBytes);
    case kData:
    case kAttributes:
      break;
  }
  return std::nullopt;
}

}  // namespace thalweg
