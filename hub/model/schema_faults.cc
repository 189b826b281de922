// schema_faults.cc: the words for what a walk finds wrong, in both languages.
#include "model/schema_faults.h"

#include <fmt/format.h>

#include <utility>
#include <vector>

#include "model/factors.h"
#include "model/json_token.h"
#include "model/nearest.h"

namespace thalweg {
namespace {

constexpr std::size_t kExcerptBytes = 40;
constexpr std::size_t kListedValues = 16;

// The beginning of a text from outside, fit for a log line: whole characters, no control characters.
std::string excerpt(std::string_view text) {
  std::size_t size = std::min(text.size(), kExcerptBytes);
  if (size < text.size()) {
    while (size > 0 && (static_cast<std::uint8_t>(text[size]) & 0xc0) == 0x80) --size;
  }
  std::string shown(text.substr(0, size));
  for (char& c : shown) {
    if (static_cast<std::uint8_t>(c) < 0x20 || c == 0x7f) c = '?';
  }
  if (size < text.size()) shown += "…";
  return shown;
}

struct TypeName {
  TypeBit bit;
  std::string_view en, zh;
};
constexpr TypeName kTypeNames[] = {{kObjectType, "object", "对象"},   {kArrayType, "array", "列表"},
                                   {kStringType, "string", "文本"},   {kNumberType, "number", "数值"},
                                   {kIntegerType, "integer", "整数"}, {kBooleanType, "boolean", "布尔值"},
                                   {kNullType, "null", "空值"}};

std::pair<std::string, std::string> names_of(std::uint8_t types) {
  std::string en, zh;
  for (const TypeName& name : kTypeNames) {
    if ((types & name.bit) == 0) continue;
    if (name.bit == kIntegerType && (types & kNumberType)) continue;  // every integer is a number
    en.append(en.empty() ? "" : " or ").append(name.en);
    zh.append(zh.empty() ? "" : "或").append(name.zh);
  }
  return {en, zh};
}

std::string joined(const std::vector<std::string>& names, std::string_view between) {
  return fmt::format("{}", fmt::join(names, between));
}

Fault schema_fault(std::string path, std::string en, std::string zh) {
  return {Code::kRecordSchema, std::move(path), std::move(en), std::move(zh)};
}

}  // namespace

Fault missing_member(std::string path) { return schema_fault(std::move(path), "is required", "为必填项"); }

Fault missing_because(std::string path, std::string_view member, std::string_view value) {
  return schema_fault(std::move(path), fmt::format("is required when {} is {}", member, value),
                      fmt::format("在 {} 为 {} 时必填", member, value));
}

Fault missing_one_of(std::string path, const SchemaNode& node) {
  std::vector<std::string> choices;
  for (std::uint64_t set : node.any_required) {
    std::vector<std::string> together;
    for (std::size_t i = 0; i < node.members.size(); ++i) {
      if (set >> i & 1) together.push_back(node.members[i]);
    }
    choices.push_back(joined(together, "+"));
  }
  return schema_fault(std::move(path), "needs one of: " + joined(choices, ", "),
                      "至少需要其一：" + joined(choices, "、"));
}

Fault unknown_member(std::string path, std::string_view name, const NameTable& known) {
  const auto near = nearest(name, known.names());
  std::string en = "is not a known member";
  std::string zh = "未知成员";
  if (!near.empty()) {
    en += "; near: " + joined(near, ", ");
    zh += "；相近：" + joined(near, "、");
  } else if (known.find("ext") != NameTable::kAbsent) {
    en += "; own members belong in ext";
    zh += "；自定义内容请放入 ext";
  }
  return schema_fault(std::move(path), std::move(en), std::move(zh));
}

Fault repeated_member(std::string path) {
  return schema_fault(std::move(path), "stands twice; readers would not agree which one counts", "重复出现，含义不明");
}

Fault wrong_type(std::string path, std::uint8_t allowed, std::uint8_t found) {
  const auto [en, zh] = names_of(allowed);
  const auto [found_en, found_zh] = names_of(found);
  return schema_fault(std::move(path), fmt::format("must be {}, not {}", en, found_en),
                      fmt::format("应为{}，实为{}", zh, found_zh));
}

Fault wrong_value(std::string path, const NameTable& allowed, std::string_view found) {
  auto choices = nearest(found, allowed.names());
  const bool near = !choices.empty();
  if (!near) choices = allowed.names();
  const bool cut = choices.size() > kListedValues;
  if (cut) choices.resize(kListedValues);
  return schema_fault(std::move(path),
                      fmt::format("'{}' is not allowed; {}: {}{}", excerpt(found), near ? "near" : "allowed",
                                  joined(choices, ", "), cut ? " …" : ""),
                      fmt::format("不允许“{}”；{}：{}{}", excerpt(found), near ? "相近" : "可用", joined(choices, "、"),
                                  cut ? "…" : ""));
}

Fault wrong_string(std::string path, const SchemaNode& node, std::string_view found) {
  if (node.values.size() > 0) return wrong_value(std::move(path), node.values, found);
  const std::size_t size = characters(found);
  if (size > node.max_length) return wrong_length(std::move(path), Bound::kMost, node.max_length, size);
  if (size < node.min_length) return wrong_length(std::move(path), Bound::kLeast, node.min_length, size);
  return wrong_format(std::move(path), node.format, found);
}

Fault wrong_format(std::string path, NamedFormat format, std::string_view found) {
  if (format == NamedFormat::kFactor) {
    const auto near = FactorDictionary::builtin().nearest_to(found);
    std::string en = fmt::format("'{}' is not in the factor dictionary", excerpt(found));
    std::string zh = fmt::format("“{}”不在监测因子字典中", excerpt(found));
    if (!near.empty()) {
      en += "; near: " + joined(near, ", ");
      zh += "；相近：" + joined(near, "、");
    }
    return {Code::kFactorUnknown, std::move(path), std::move(en), std::move(zh)};
  }
  const FormatHelp help = help_for(format);
  return schema_fault(std::move(path), fmt::format("must be {}, not '{}'", help.en, excerpt(found)),
                      fmt::format("应为{}，实为“{}”", help.zh, excerpt(found)));
}

Fault wrong_length(std::string path, Bound bound, std::uint32_t limit, std::size_t found) {
  const bool least = bound == Bound::kLeast;
  return schema_fault(std::move(path),
                      fmt::format("must have at {} {} characters, has {}", least ? "least" : "most", limit, found),
                      fmt::format("应{} {} 个字符，实有 {} 个", least ? "至少" : "至多", limit, found));
}

Fault wrong_number(std::string path, const SchemaNode& node, std::string_view found) {
  const bool low = node.minimum != -std::numeric_limits<double>::infinity();
  const bool high = node.maximum != std::numeric_limits<double>::infinity();
  std::string range;
  if (low) range += fmt::format(">= {}", node.minimum);
  if (high) range += fmt::format("{}<= {}", low ? ", " : "", node.maximum);
  if (range.empty()) range = "finite";
  return schema_fault(std::move(path), fmt::format("{} is out of range ({})", excerpt(found), range),
                      fmt::format("{} 超出范围（{}）", excerpt(found), range));
}

Fault wrong_count(std::string path, Bound bound, std::uint32_t limit, CountOf what) {
  const bool least = bound == Bound::kLeast;
  const bool items = what == CountOf::kItems;
  return schema_fault(
      std::move(path),
      fmt::format("must have at {} {} {}", least ? "least" : "most", limit, items ? "items" : "members"),
      fmt::format("应{} {} {}", least ? "至少" : "至多", limit, items ? "项" : "个成员"));
}

Fault too_deep(std::string path) { return schema_fault(std::move(path), "is nested too deeply", "嵌套层数过多"); }

Fault null_character(std::string path) {
  return schema_fault(std::move(path), "must not contain the character U+0000", "不得含有 U+0000 字符");
}

Fault wrong_subject(std::string path, std::string_view subject, std::string_view found) {
  return {Code::kRecordAttributeInvalid, std::move(path),
          fmt::format("is '{}', but the record's subject is '{}'", excerpt(found), excerpt(subject)),
          fmt::format("为“{}”，与记录的 subject“{}”不一致", excerpt(found), excerpt(subject))};
}

Fault too_large(std::string path) {
  return {Code::kRecordTooLarge, std::move(path), "is larger than 1 MiB", "超过 1 MiB"};
}

Fault not_json(std::string path, std::string_view reason, std::optional<std::size_t> offset) {
  const std::string at_en = offset ? fmt::format(" at byte {}", *offset) : "";
  const std::string at_zh = offset ? fmt::format("（第 {} 字节）", *offset) : "";
  return {Code::kRecordNotJson, std::move(path), fmt::format("is not JSON{}: {}", at_en, reason),
          fmt::format("不是合法的 JSON{}", at_zh)};
}

}  // namespace thalweg
