#include "tabular_source.h"

#include <algorithm>
#include <chrono>

#include "disk.h"
#include "thalweg_factors_tsv.h"

namespace thalweg::tabular {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

namespace {
constexpr std::size_t kBatch = 256;
}

TabularSource::TabularSource() : factors_(kFactorsTsv) {}

Status TabularSource::configure(std::string_view json) {
  TW_ASSIGN(settings_, SourceSettings::read(json, factors_));
  return {};
}

Status TabularSource::start() {
  for (const std::string& folder : {settings_.folder, settings_.done, settings_.rejected}) TW_TRY(make_folder(folder));
  work_.reset();
  return {};
}

void TabularSource::stop(milliseconds) { work_.reset(); }

Result<milliseconds> TabularSource::poll(milliseconds) {
  const milliseconds later(settings_.scan_ms);
  while (!host().should_stop()) {
    if (!work_) {
      const auto path = next_file();
      if (!path) return later;
      if (const Status opened = open_file(*path); !opened) {
        work_.reset();
        if (opened.error().code == Code::kUnavailable) return opened.error();
        TW_TRY(set_aside(*path, opened.error()));
        continue;
      }
    }
    const bool all_offered = offer();
    if (work_->finished()) {
      TW_TRY(finish());
      work_.reset();
      continue;
    }
    // Settlements, or room, bring the next call forward.
    if (all_offered || !work_->open.empty()) return later;
  }
  return milliseconds(0);
}

/// The first file, by name, that has lain still for settle_ms.
std::optional<fs::path> TabularSource::next_file() {
  std::error_code error;
  std::optional<fs::path> found;
  for (fs::directory_iterator entry(settings_.folder, error), end; !error && entry != end; entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    std::error_code gone;
    if (name.empty() || name[0] == '.' || name[0] == '~' || !entry->is_regular_file(gone) || entry->is_symlink(gone))
      continue;
    if (name.size() < settings_.ending.size() ||
        name.compare(name.size() - settings_.ending.size(), settings_.ending.size(), settings_.ending) != 0)
      continue;
    const auto changed = entry->last_write_time(gone);
    if (gone || fs::file_time_type::clock::now() - changed < milliseconds(settings_.settle_ms)) continue;
    if (!found || entry->path() < *found) found = entry->path();
  }
  return found;
}

Status TabularSource::open_file(const fs::path& path) {
  TW_ASSIGN(const std::string bytes, read_whole(path, settings_.max_file_bytes));
  TW_ASSIGN(const std::string text, to_utf8(bytes, settings_.encoding));
  TW_ASSIGN(std::vector<Row> rows, parse_csv(text, settings_.separator));
  if (rows.size() <= settings_.mapping.skip_rows) return Error{Code::kMappingInvalid, "the table has no header"};
  auto work = std::make_unique<Work>();
  work->path = path;
  const auto header = rows.begin() + static_cast<std::ptrdiff_t>(settings_.mapping.skip_rows);
  work->header = header->cells;
  work->rows.assign(std::make_move_iterator(header + 1), std::make_move_iterator(rows.end()));
  TW_ASSIGN(RowReader reader, RowReader::make(settings_.mapping, work->header));
  work->reader = std::make_unique<RowReader>(std::move(reader));
  TW_ASSIGN(work->key, content_key(bytes));
  work_ = std::move(work);
  return {};
}

std::string TabularSource::origin_key(std::size_t row) const {
  if (!settings_.key_by_row) return work_->key + "/" + std::to_string(work_->rows[row].line);
  std::string content;
  for (const std::string& cell : work_->rows[row].cells) content += std::to_string(cell.size()) + ":" + cell;
  const auto key = content_key(content);
  return key ? *key : work_->key + "/" + std::to_string(work_->rows[row].line);
}

/// Submits rows until there is no more room; true when all have been taken.
bool TabularSource::offer() {
  Work& work = *work_;
  while (!work.again.empty() || work.next < work.rows.size()) {
    std::vector<Submission> batch;
    while (batch.size() < kBatch && !work.again.empty()) {
      batch.push_back(std::move(work.again.front()));
      work.again.pop_front();
    }
    while (batch.size() < kBatch && work.next < work.rows.size()) {
      const std::size_t index = work.next++;
      bool skipped = false;
      auto record = work.reader->read(work.rows[index], skipped);
      if (skipped) {
        ++work.skipped;
      } else if (!record) {
        work.refused.push_back({work.rows[index], record.error().code, record.error().message});
      } else {
        record->ticket = index + 1;
        record->origin_key = origin_key(index);
        batch.push_back(*std::move(record));
      }
    }
    if (batch.empty()) continue;
    for (const Submission& record : batch) work.open.emplace(record.ticket, record);
    std::size_t taken = 0;
    const auto outcome = host().submit(batch, &taken);
    for (std::size_t i = batch.size(); i > taken; --i) {
      work.open.erase(batch[i - 1].ticket);
      work.again.push_front(std::move(batch[i - 1]));
    }
    if (!outcome && outcome.error().code != Code::kClosed && !work.again.empty()) {
      const std::size_t index = work.again.front().ticket - 1;
      work.refused.push_back({work.rows[index], outcome.error().code, outcome.error().message});
      work.again.pop_front();
      continue;
    }
    if (taken < batch.size()) return false;
  }
  return true;
}

void TabularSource::settled(std::span<const Settled> all) {
  if (!work_) return;
  for (const Settled& s : all) {
    const auto found = work_->open.find(s.ticket);
    if (found == work_->open.end()) continue;
    if (s.accepted()) {
      ++(s.code == Code::kRecordDuplicate ? work_->known : work_->accepted);
    } else if (s.rejected()) {
      work_->refused.push_back({work_->rows[s.ticket - 1], s.code, std::string(s.reason)});
    } else {
      work_->again.push_back(std::move(found->second));
    }
    work_->open.erase(found);
  }
}

/// Every row is settled: the refused ones are written down first, then the file is moved.
Status TabularSource::finish() {
  Work& work = *work_;
  const std::string name = work.path.filename().string();
  if (!work.refused.empty() && !work.refused_written) {
    std::sort(work.refused.begin(), work.refused.end(),
              [](const Refused& a, const Refused& b) { return a.row.line < b.row.line; });
    std::string text(kUtf8Bom);
    text += "行号 line,代码 code,原因 reason";
    for (const std::string& cell : work.header) text += "," + csv_cell(cell, CellKind::kText, CodeStyle::kPlain, ',');
    text += "\r\n";
    for (const Refused& refused : work.refused) {
      text += std::to_string(refused.row.line) + "," + std::to_string(static_cast<int>(refused.code)) + "," +
              csv_cell(refused.reason, CellKind::kText, CodeStyle::kPlain, ',');
      for (const std::string& cell : refused.row.cells)
        text += "," + csv_cell(cell, CellKind::kText, CodeStyle::kPlain, ',');
      text += "\r\n";
    }
    TW_ASSIGN(const fs::path rejected, free_name(settings_.rejected, name));
    TW_TRY(write_whole(rejected, text));
    work.refused_written = true;
  }
  TW_TRY(move_durably(work.path, settings_.done));
  host().info(name + ": accepted " + std::to_string(work.accepted) + ", known before " + std::to_string(work.known) +
              ", refused " + std::to_string(work.refused.size()) + ", left out " + std::to_string(work.skipped));
  return {};
}

/// The whole file is unusable: moved to the rejected ones with the reason beside it.
Status TabularSource::set_aside(const fs::path& path, const Error& why) {
  host().warning(path.filename().string() + ": set aside (" + std::to_string(static_cast<int>(why.code)) +
                 "): " + why.message);
  TW_ASSIGN(const fs::path reason, free_name(settings_.rejected, path.filename().string() + ".reason.txt"));
  TW_TRY(write_whole(reason, std::to_string(static_cast<int>(why.code)) + " " + why.message + "\r\n"));
  return move_durably(path, settings_.rejected);
}

}  // namespace thalweg::tabular
