// load.cc: a region from its TOML files: whole, or every mistake at once.
#include "region/load.h"

#include <fmt/format.h>

#include <algorithm>

#include "region/builder.h"

namespace thalweg::region {
namespace {

constexpr std::uint64_t kLargestFile_bytes = 32 * 1024 * 1024;
constexpr std::size_t kMostFiles = 1000;
const std::string kFolderFiles[] = {"region.toml", "parties.toml", "rivers.toml", "sections.toml", "agreements.toml"};
constexpr std::string_view kAgreementsFolder = "agreements";

void mistaken(std::vector<Mistake>& mistakes, std::string file, Code code, Words message) {
  mistakes.push_back({std::move(file), 0, "", code, std::move(message)});
}

void read_into(FileSystem& files, const Path& folder, const std::string& name, Texts& texts,
               std::vector<Mistake>& mistakes) {
  if (texts.size() == kMostFiles) {
    mistaken(mistakes, name, Code::kRegionSyntax, {"文件过多（超过 1000 个）", "more than 1,000 files"});
    return;
  }
  auto bytes = read_file(files, folder / name, kLargestFile_bytes);
  if (!bytes) {
    mistaken(mistakes, name, Code::kRegionSyntax,
             {"无法读取：" + bytes.error().message, "cannot be read: " + bytes.error().message});
    return;
  }
  texts.emplace(name, std::string(as_text(*bytes)));
}

}  // namespace

std::string Mistake::text(Language language) const {
  const std::string place = line == 0 ? file : fmt::format("{}:{}", file, line);
  return fmt::format("{}: {}{}{} [{}]", place, key, key.empty() ? "" : ": ", message.in(language),
                     static_cast<std::int32_t>(code));
}

Hash256 digest_of(const Texts& texts) {
  Bytes bytes;
  ByteWriter out(bytes);
  out.short_text("thalweg.region.1");
  for (const auto& [name, text] : texts) {
    out.blob(as_bytes(name));
    out.blob(as_bytes(text));
  }
  return sha256(bytes);
}

Texts read_texts(FileSystem& files, const Path& folder, std::vector<Mistake>& mistakes) {
  Texts texts;
  auto names = files.list(folder);
  if (!names) {
    mistaken(mistakes, folder.string(), Code::kRegionSyntax,
             {"无法读取目录：" + names.error().message, "the folder cannot be read: " + names.error().message});
    return texts;
  }
  for (const std::string& name : *names) {
    if (!name.ends_with(".toml") || name.starts_with('.')) continue;
    if (std::ranges::find(kFolderFiles, name) != std::end(kFolderFiles)) {
      read_into(files, folder, name, texts, mistakes);
      continue;
    }
    const Words near = nearest_words(name, kFolderFiles);
    mistaken(mistakes, name, Code::kRegionKeyUnknown,
             {"不是区域目录中的文件" + near.zh, "is no file of a region folder" + near.en});
  }
  if (std::ranges::find(*names, kAgreementsFolder) != names->end()) {
    if (auto more = files.list(folder / kAgreementsFolder)) {
      for (const std::string& name : *more)
        if (name.ends_with(".toml") && !name.starts_with('.'))
          read_into(files, folder, fmt::format("{}/{}", kAgreementsFolder, name), texts, mistakes);
    } else {
      mistaken(mistakes, std::string(kAgreementsFolder), Code::kRegionSyntax,
               {"无法读取目录：" + more.error().message, "the folder cannot be read: " + more.error().message});
    }
  }
  return texts;
}

std::optional<toml::table> Builder::parse(const std::string& file) {
  const auto text = region_->texts_.find(file);
  if (text == region_->texts_.end()) return std::nullopt;
  try {
    return toml::parse(std::string_view(text->second), file);
  } catch (const toml::parse_error& error) {
    const std::string what(error.description());
    mistakes_.add(text->first, error.source().begin.line, "", Code::kRegionSyntax,
                  {"不是合法的 TOML：" + what, "is not TOML: " + what});
  } catch (const std::exception& error) {
    mistakes_.add(text->first, 0, "", Code::kRegionSyntax,
                  {std::string("无法解析：") + error.what(), std::string("cannot be parsed: ") + error.what()});
  }
  return std::nullopt;
}

void Builder::require_files() {
  const Words missing{"缺少该文件", "the file is missing"};
  for (const std::string& name : kFolderFiles) {
    if (region_->texts_.contains(name)) continue;
    const bool split = name == "agreements.toml" && std::ranges::any_of(region_->texts_, [](const auto& text) {
                         return text.first.starts_with("agreements/");
                       });
    if (!split) mistakes_.add(name, 0, "", Code::kRegionSyntax, missing);
  }
}

std::shared_ptr<Region> Builder::build() {
  require_files();
  read_region();
  read_parties();
  read_rivers();
  if (region_->adjoining_.empty()) region_->adjoining_.resize(region_->parties_.size());
  read_sections();
  read_agreements();
  if (parties_complete_ && rivers_complete_) {
    // A gap is mended by adding an agreement: it is reported where one would be added.
    const auto last =
        std::ranges::find_if(region_->texts_, [](const auto& t) { return t.first.starts_with("agreements"); });
    if (last != region_->texts_.end())
      find_statutory_gaps(*region_, std::nullopt, last->first,
                          static_cast<std::uint32_t>(std::ranges::count(last->second, '\n')) + 1, mistakes_);
  }
  Region& region = *region_;
  for (const auto& [key, used] : party_keys_) region.party_keys_.emplace(key, used.index);
  for (const auto& [key, used] : section_keys_) region.section_keys_.emplace(key, used.index);
  for (const auto& [key, used] : river_codes_) region.river_codes_.emplace(key, used.index);
  for (const auto& [key, used] : reach_codes_) region.reach_codes_.emplace(key, used.index);
  for (const auto& [key, used] : agreement_ids_) region.agreement_ids_.emplace(key, used.index);
  region.index_names();
  return region_;
}

Result<std::shared_ptr<const Region>> load(Texts texts, std::vector<Mistake>& mistakes) {
  std::shared_ptr<const Region> region = Builder(std::move(texts), mistakes).build();
  if (mistakes.empty()) return region;
  std::ranges::stable_sort(
      mistakes, [](const Mistake& a, const Mistake& b) { return std::tie(a.file, a.line) < std::tie(b.file, b.line); });
  return Error{mistakes.front().code,
               fmt::format("the region has {} mistake{}; the first: {}", mistakes.size(),
                           mistakes.size() == 1 ? "" : "s", mistakes.front().text(Language::kEnglish))};
}

Result<std::shared_ptr<const Region>> load_folder(FileSystem& files, const Path& folder,
                                                  std::vector<Mistake>& mistakes) {
  Texts texts = read_texts(files, folder, mistakes);
  return load(std::move(texts), mistakes);
}

}  // namespace thalweg::region
