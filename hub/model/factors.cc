// factors.cc: the dictionary of monitoring factors (sdk/data/factors.tsv), compiled in.
#include "model/factors.h"

#include <algorithm>
#include <cstring>

#include "base/invariant.h"
#include "model/builtin_texts.h"
#include "model/nearest.h"

namespace thalweg {
namespace {

constexpr std::size_t kCodeBytes = 6;  // a letter and five digits: HJ 525
constexpr std::size_t kSlots = 1024;
constexpr std::size_t kMaxRows = kSlots / 4;

bool well_formed(std::string_view code) {
  return code.size() == kCodeBytes && code[0] >= 'a' && code[0] <= 'z' &&
         std::all_of(code.begin() + 1, code.end(), [](char c) { return c >= '0' && c <= '9'; });
}

std::uint64_t packed(std::string_view code) {
  std::uint32_t four;
  std::uint16_t two;
  std::memcpy(&four, code.data(), sizeof four);
  std::memcpy(&two, code.data() + sizeof four, sizeof two);
  return std::uint64_t{two} << 32 | four;
}
std::size_t slot_of(std::uint64_t key) { return static_cast<std::size_t>((key * 0x9e3779b97f4a7c15u) >> 54) % kSlots; }

std::vector<std::string_view> columns_of(std::string_view line) {
  std::vector<std::string_view> columns;
  for (std::size_t from = 0;;) {
    const std::size_t tab = line.find('\t', from);
    columns.push_back(line.substr(from, tab - from));
    if (tab == std::string_view::npos) return columns;
    from = tab + 1;
  }
}

}  // namespace

const FactorDictionary& FactorDictionary::builtin() {
  static const FactorDictionary dictionary = [] {
    auto parsed = parse(std::string(builtin_factors()));
    THALWEG_INVARIANT(parsed.has_value());  // compiled in; a test reads the same file
    return *std::move(parsed);
  }();
  return dictionary;
}

Result<FactorDictionary> FactorDictionary::parse(std::string text) {
  constexpr std::string_view kHeader = "code\tname_zh\tname_en\tunit\told\tformat\tsource";
  FactorDictionary dictionary;
  dictionary.text_ = std::make_shared<const std::string>(std::move(text));
  dictionary.slots_.assign(kSlots, {});
  std::string_view rest = *dictionary.text_;
  bool header_seen = false;
  for (std::size_t number = 1; !rest.empty(); ++number) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (line.empty() || line.front() == '#') continue;
    const auto wrong = [&](std::string_view why) {
      return Error{Code::kInvalid, "factors.tsv line " + std::to_string(number) + ": " + std::string(why)};
    };
    if (!header_seen) {
      if (line != kHeader) return wrong("the first row must name the columns");
      header_seen = true;
      continue;
    }
    const auto columns = columns_of(line);
    if (columns.size() != 7) return wrong("must have 7 columns");
    const std::string_view code = columns[0];
    if (!well_formed(code)) return wrong("a code is a small letter and five digits");
    if (dictionary.rows_.size() == kMaxRows) return wrong("too many rows");
    const std::uint64_t key = packed(code);
    std::size_t slot = slot_of(key);
    for (; dictionary.slots_[slot].packed != 0; slot = (slot + 1) % kSlots) {
      if (dictionary.slots_[slot].packed == key) return wrong("the code stands twice");
    }
    dictionary.slots_[slot] = {key, dictionary.rows_.size()};
    dictionary.rows_.push_back(
        {code, columns[1], columns[2], columns[3], columns[6].find("[assumed]") != std::string_view::npos});
  }
  return dictionary;
}

const Factor* FactorDictionary::find(std::string_view code) const {
  if (code.size() != kCodeBytes) return nullptr;
  const std::uint64_t key = packed(code);
  for (std::size_t slot = slot_of(key); slots_[slot].packed != 0; slot = (slot + 1) % kSlots) {
    if (slots_[slot].packed == key) return &rows_[slots_[slot].row];
  }
  return nullptr;
}

std::vector<std::string> FactorDictionary::nearest_to(std::string_view code) const {
  std::vector<std::string> known;
  known.reserve(rows_.size() * 2);
  for (const Factor& row : rows_) {
    known.emplace_back(row.code);
    known.emplace_back(row.name_zh);
  }
  std::vector<std::string> answers;
  for (const std::string& name : nearest(code, known)) {
    for (const Factor& row : rows_) {
      if (row.code != name && row.name_zh != name) continue;
      std::string answer = std::string(row.code) + " " + std::string(row.name_zh);
      if (std::find(answers.begin(), answers.end(), answer) == answers.end()) answers.push_back(std::move(answer));
    }
  }
  return answers;
}

}  // namespace thalweg
