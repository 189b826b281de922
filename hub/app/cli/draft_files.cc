#include "app/cli/draft_files.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "model/nearest.h"

namespace thalweg::app {
namespace {

using nlohmann::json;

constexpr std::string_view kBlanks = " \t\r\n";

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

/// The end of the JSON value that begins at `at`, in a text that has been parsed.
std::size_t end_of_value(std::string_view text, std::size_t at) {
  int depth = 0;
  bool inside = false;  // a string
  for (; at < text.size(); ++at) {
    const char c = text[at];
    if (inside) {
      if (c == '\\') {
        ++at;
      } else if (c == '"') {
        inside = false;
      }
      continue;
    }
    if (c == '"') inside = true;
    if (c == '{' || c == '[') ++depth;
    if (c == '}' || c == ']') {
      if (depth == 0) return at;
      --depth;
    }
    if (depth == 0 && (c == ',' || c == ':')) return at;
  }
  return at;
}

Lane usual_lane(std::string_view type) {
  return type.starts_with("thalweg.emergency.") ? Lane::kUrgent : Lane::kRoutine;
}

void read_member(FileDraft& draft, const std::string& key, const json& value, std::string_view raw, bool& has_lane) {
  const std::vector<std::pair<std::string_view, std::string*>> texts = {
      {"type", &draft.type},         {"subject", &draft.subject},         {"time", &draft.time},
      {"exercise", &draft.exercise}, {"correlation", &draft.correlation}, {"origin_key", &draft.origin_key}};
  for (const auto& [name, into] : texts) {
    if (key != name) continue;
    if (value.is_string()) {
      *into = value.get<std::string>();
    } else {
      draft.faults.push_back({key + "：应为文本", key + ": must be text"});
    }
    return;
  }
  if (key == "lane") {
    const auto lane = lane_from(value.is_string() ? value.get<std::string>() : "");
    has_lane = static_cast<bool>(lane);
    if (lane) {
      draft.lane = *lane;
    } else {
      draft.faults.push_back({"lane：应为 routine 或 urgent", "lane: must be routine or urgent"});
    }
  } else if (key == "data") {
    draft.data = raw;
    if (!value.is_object()) draft.faults.push_back({"data：应为对象", "data: must be an object"});
  } else {
    static const std::vector<std::string> known = {"type",     "subject",     "time",       "lane",
                                                   "exercise", "correlation", "origin_key", "data"};
    const std::string shown(region::shortened(key));
    const auto near = nearest(shown, known, 1);
    draft.faults.push_back({shown + "：没有这个成员" + (near.empty() ? "" : "，是否为 " + near.front() + "？"),
                            shown + ": no such member" + (near.empty() ? "" : "; did you mean " + near.front() + "?")});
  }
}

FileDraft read_draft(std::string place, std::string_view text, std::string_view exercise) {
  FileDraft draft;
  draft.place = std::move(place);
  const json parsed = json::parse(text, nullptr, false);
  if (!parsed.is_object()) {
    draft.faults.push_back(parsed.is_discarded() ? region::Words{"不是 JSON", "not JSON"}
                                                 : region::Words{"应为对象", "must be an object"});
    return draft;
  }
  const auto members = raw_members(text);
  if (members.size() != 2 * parsed.size()) draft.faults.push_back({"有成员重复", "a member stands twice"});
  bool has_lane = false;
  for (std::size_t i = 0; i + 1 < members.size(); i += 2) {
    const json key = json::parse(members[i], nullptr, false);
    if (key.is_string()) read_member(draft, key, json::parse(members[i + 1], nullptr, false), members[i + 1], has_lane);
  }
  for (const auto& [name, value] : {std::pair{"type", &draft.type}, {"time", &draft.time}, {"data", &draft.data}})
    if (value->empty() && !parsed.contains(name))
      draft.faults.push_back({std::string(name) + "：缺少", std::string(name) + ": is missing"});
  if (!has_lane) draft.lane = usual_lane(draft.type);
  if (!exercise.empty() && !draft.exercise.empty() && draft.exercise != exercise)
    draft.faults.push_back(
        {"exercise：文件为 " + draft.exercise + "，命令行为 " + std::string(exercise),
         "exercise: the file says " + draft.exercise + ", the command line " + std::string(exercise)});
  if (draft.exercise.empty()) draft.exercise = exercise;
  return draft;
}

}  // namespace

std::vector<std::string_view> raw_members(std::string_view text) {
  std::vector<std::string_view> out;
  text = trimmed(text);
  if (text.size() < 2 || (text.front() != '{' && text.front() != '[')) return out;
  std::size_t at = 1;
  while (at < text.size() - 1) {
    const std::size_t end = end_of_value(text, at);
    const std::string_view value = trimmed(text.substr(at, end - at));
    if (!value.empty()) out.push_back(value);
    at = end + 1;
  }
  return out;
}

Result<std::vector<FileDraft>> read_drafts(std::string_view name, std::string_view text, std::string_view exercise) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);  // editors on Windows put it there
  const std::string file(name);
  std::vector<FileDraft> out;
  if (trimmed(text).empty()) return Error{Code::kData, file + ": nothing in it"};

  // The whole as one value, or, when its first line is a value of its own and more follow, line by line: so one broken
  // line of many costs no other its way.
  if (json::accept(text)) {
    const std::string_view whole = trimmed(text);
    if (whole.front() == '[') {
      const auto values = raw_members(whole);
      if (values.empty()) return Error{Code::kData, file + ": an empty list"};
      for (std::size_t i = 0; i < values.size(); ++i)
        out.push_back(read_draft(file + "[" + std::to_string(i) + "]", values[i], exercise));
    } else {
      out.push_back(read_draft(file, whole, exercise));
    }
    return out;
  }
  const std::string_view all = text;
  std::vector<std::pair<std::size_t, std::string_view>> lines;
  std::size_t good = 0;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = trimmed(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty()) continue;
    lines.emplace_back(number, line);
    if (line.front() == '{' && json::accept(line)) ++good;
  }
  if (good == 0) {
    std::string why;
    try {
      const json parsed = json::parse(all);
    } catch (const json::parse_error& error) {
      why = std::string(": ") + error.what();
    }
    return Error{Code::kData, file + ": not JSON" + why};
  }
  for (const auto& [number, line] : lines)
    out.push_back(read_draft(file + ":" + std::to_string(number), line, exercise));
  return out;
}

}  // namespace thalweg::app
