// toml_reader.cc: see toml_reader.h.
#include "region/toml_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "model/ids.h"
#include "model/nearest.h"

namespace thalweg::region {
namespace {

constexpr std::size_t kLongestText = 400;
constexpr std::size_t kLongestList = 1000;
constexpr std::int64_t kSecond = 1'000'000'000;
constexpr int kBeijingMinutes = 480;

std::uint32_t line_of(const toml::node& node) { return node.source().begin.line; }

std::int64_t seconds_of(const toml::date& date) {
  const std::chrono::year_month_day day{std::chrono::year{date.year}, std::chrono::month{date.month},
                                        std::chrono::day{date.day}};
  return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::sys_days{day}.time_since_epoch()).count();
}

}  // namespace

void MistakeList::add(const std::string& file, std::uint32_t line, std::string key, Code code, Words message) {
  if (out_.size() == kMost) {
    out_.push_back(
        {file, line, "", code, {"错误超过 1000 处，其余略去", "more than 1,000 mistakes: the rest is left out"}});
  }
  if (out_.size() > kMost) return;
  out_.push_back({file, line, std::move(key), code, std::move(message)});
}

Words nearest_words(std::string_view wanted, std::span<const std::string> known) {
  Words words;
  for (const std::string& name : nearest(wanted, known)) {
    words.en += fmt::format("{}'{}'", words.en.empty() ? "; nearest: " : ", ", name);
    words.zh += fmt::format("{}“{}”", words.zh.empty() ? "；相近的有：" : "、", name);
  }
  return words;
}

std::string TableReader::path_of(std::string_view key) const {
  return path_.empty() ? std::string(key) : fmt::format("{}.{}", path_, key);
}

Text TableReader::site(std::string_view key) const {
  const toml::node* node = key.empty() ? nullptr : table_->get(key);
  return {"", file_, line_of(node ? *node : *table_), key.empty() ? path_ : path_of(key)};
}

void TableReader::mistake(std::string_view key, Code code, Words message) const {
  Text at = site(key);
  mistakes_->add(*file_, at.line, std::move(at.key), code, std::move(message));
}

const toml::node* TableReader::get(std::string_view key, Need need) {
  if (std::ranges::find(asked_, key) == asked_.end()) asked_.emplace_back(key);
  const toml::node* node = table_->get(key);
  if (!node && need == Need::kRequired)
    mistake(key, Code::kRegionValue, {fmt::format("缺少“{}”", key), fmt::format("'{}' is missing", key)});
  return node;
}

std::optional<std::string> TableReader::checked(const toml::node& node, const std::string& path, std::uint32_t line) {
  const auto wrong = [&](std::string_view zh, std::string_view en) {
    mistakes_->add(*file_, line, path, Code::kRegionValue, {std::string(zh), std::string(en)});
    return std::nullopt;
  };
  const auto* value = node.as_string();
  if (!value) return wrong("应为带引号的文本", "must be a text in quotes");
  const std::string& text = value->get();
  if (text.empty()) return wrong("不能为空", "must not be empty");
  if (text.size() > kLongestText) return wrong("文本过长（超过 400 字节）", "is longer than 400 bytes");
  // Names are printed on terminals and in logs: nothing in them may steer these.
  if (std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }))
    return wrong("不能含有控制字符", "must not hold control characters");
  return text;
}

Text TableReader::text(std::string_view key, Need need) {
  Text result = site(key);
  if (const toml::node* node = get(key, need))
    if (auto value = checked(*node, result.key, result.line)) result.value = *std::move(value);
  return result;
}

Text TableReader::code(std::string_view key, Need need) {
  Text result = text(key, need);
  if (result.given() && !valid_code(result.value)) {
    mistake(key, Code::kRegionValue,
            {"代码只能含 1 至 64 个字母、数字、点、下划线和连字符",
             "a code has 1 to 64 letters, digits, dots, underscores and hyphens"});
    result.value.clear();
  }
  return result;
}

std::vector<Text> TableReader::texts(std::string_view key, Need need) {
  const toml::node* node = get(key, need);
  if (!node) return {};
  const toml::array* array = node->as_array();
  if (!array || array->size() > kLongestList || (array->empty() && need == Need::kRequired)) {
    mistake(key, Code::kRegionValue,
            !array ? Words{"应为文本列表，如 [\"a\", \"b\"]", "must be a list of texts: [\"a\", \"b\"]"}
            : array->empty() ? Words{"列表不能为空", "the list must not be empty"}
                             : Words{"列表超过 1000 项", "the list has more than 1,000 entries"});
    return {};
  }
  std::vector<Text> result;
  result.reserve(array->size());
  for (std::size_t i = 0; i < array->size(); ++i) {
    const toml::node& element = (*array)[i];
    Text one{"", file_, line_of(element), fmt::format("{}[{}]", path_of(key), i + 1)};
    if (auto value = checked(element, one.key, one.line)) {
      one.value = *std::move(value);
      result.push_back(std::move(one));
    }
  }
  return result;
}

std::int64_t TableReader::integer(std::string_view key, std::int64_t low, std::int64_t high, Need need,
                                  std::int64_t otherwise) {
  const toml::node* node = get(key, need);
  if (!node) return otherwise;
  const auto* value = node->as_integer();
  if (value && low <= value->get() && value->get() <= high) return value->get();
  mistake(
      key, Code::kRegionValue,
      {fmt::format("应为 {} 至 {} 的整数", low, high), fmt::format("must be a whole number from {} to {}", low, high)});
  return otherwise;
}

double TableReader::number(std::string_view key, double low, double high, Need need, double otherwise) {
  const toml::node* node = get(key, need);
  if (!node) return otherwise;
  const std::optional<double> value = node->is_number() ? node->value<double>() : std::nullopt;
  if (value && low <= *value && *value <= high) return *value;  // not so for NaN
  mistake(key, Code::kRegionValue,
          {fmt::format("应为 {} 至 {} 的数", low, high), fmt::format("must be a number from {} to {}", low, high)});
  return otherwise;
}

std::optional<std::int64_t> TableReader::moment(std::string_view key, Edge edge, Need need) {
  const toml::node* node = get(key, need);
  if (!node) return std::nullopt;
  std::optional<std::int64_t> seconds;
  std::int64_t nanoseconds = 0;
  int year = 0;
  if (const auto* date = node->as_date()) {
    year = date->get().year;
    seconds = seconds_of(date->get()) - kBeijingMinutes * 60 + (edge == Edge::kEnd ? 86400 : 0);
  } else if (const auto* time = node->as_date_time(); time && time->get().offset) {
    const toml::date_time& t = time->get();
    year = t.date.year;
    seconds = seconds_of(t.date) + t.time.hour * 3600 + t.time.minute * 60 + t.time.second - t.offset->minutes * 60;
    nanoseconds = t.time.nanosecond;
  }
  if (!seconds || year < 1949 || year > 2200) {
    mistake(key, Code::kRegionValue,
            {"应为 1949 至 2200 年的日期（北京时间，如 2024-01-01）或带时区的时间（如 "
             "2024-01-01T08:00:00+08:00），不加引号",
             "must be a date from 1949 to 2200 (Beijing time, 2024-01-01) or a time with its offset "
             "(2024-01-01T08:00:00+08:00), without quotes"});
    return std::nullopt;
  }
  return *seconds * kSecond + nanoseconds;
}

std::optional<TableReader> TableReader::table(std::string_view key, Need need) {
  const toml::node* node = get(key, need);
  if (!node) return std::nullopt;
  if (const toml::table* table = node->as_table()) return TableReader(*table, *file_, path_of(key), *mistakes_);
  mistake(key, Code::kRegionValue, {"应为一个表", "must be a table"});
  return std::nullopt;
}

std::vector<TableReader> TableReader::tables(std::string_view key, Need need) {
  const toml::node* node = get(key, need);
  if (!node) return {};
  std::vector<TableReader> result;
  const toml::array* array = node->as_array();
  if (!array || !std::ranges::all_of(*array, [](const toml::node& n) { return n.is_table(); })) {
    const std::string name = path_.empty() ? std::string(key) : path_of(key);
    mistake(key, Code::kRegionValue,
            {fmt::format("应为若干个表，每个以 [[{}]] 开头", key),
             fmt::format("must be tables, each begun by [[{}]]", key)});
    return {};
  }
  result.reserve(array->size());
  for (std::size_t i = 0; i < array->size(); ++i)
    result.emplace_back(*(*array)[i].as_table(), *file_, fmt::format("{}[{}]", path_of(key), i + 1), *mistakes_);
  return result;
}

void TableReader::wrong_word(const Text& text, std::span<const std::string> known) {
  Words near = nearest_words(text.value, known);
  mistakes_->add(*text.file, text.line, text.key, Code::kRegionValue,
                 {fmt::format("不认识“{}”，可用：{}{}", text.value, fmt::join(known, "、"), near.zh),
                  fmt::format("'{}' is not one of {}{}", text.value, fmt::join(known, ", "), near.en)});
}

void TableReader::finish() {
  for (const auto& [key, node] : *table_) {
    const std::string_view name = key.str();
    if (std::ranges::find(asked_, name) != asked_.end()) continue;
    const Words near = nearest_words(name, asked_);
    mistake(name, Code::kRegionKeyUnknown,
            {fmt::format("未知的键“{}”{}", name, near.zh), fmt::format("the key '{}' is not known{}", name, near.en)});
  }
}

}  // namespace thalweg::region
