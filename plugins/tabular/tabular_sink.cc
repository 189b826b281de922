#include "tabular_sink.h"

#include <utility>

#include "disk.h"
#include "thalweg_factors_tsv.h"

namespace thalweg::tabular {

TabularSink::TabularSink() : factors_(kFactorsTsv) {}

Status TabularSink::configure(std::string_view json) {
  TW_ASSIGN(settings_, SinkSettings::read(json, factors_));
  writer_ = std::make_unique<RowWriter>(settings_);
  return {};
}

Status TabularSink::start() {
  files_ = std::make_unique<SinkFiles>(settings_);
  return make_folder(settings_.folder);
}

Status TabularSink::deliver(std::span<const RecordView> records, Answers& answers, std::chrono::milliseconds) {
  struct Batch {
    std::string header;
    std::vector<Entry> entries;
    std::vector<std::size_t> places;
  };
  std::vector<std::pair<std::string, Batch>> files;  // in the order of first mention: few
  for (std::size_t i = 0; i < records.size(); ++i) {
    auto line = writer_->write(records[i]);
    if (!line) {
      answers.reject(i, line.error().code, line.error().message);
      continue;
    }
    Batch* batch = nullptr;
    for (auto& [file, known] : files)
      if (file == line->file) batch = &known;
    if (batch == nullptr) batch = &files.emplace_back(line->file, Batch{line->header, {}, {}}).second;
    batch->entries.push_back({records[i].id_text(), std::move(line->text)});
    batch->places.push_back(i);
  }
  for (const auto& [file, batch] : files) {
    const auto done = files_->append(file, batch.header, batch.entries);
    if (!done) {
      for (const std::size_t i : batch.places) answers.retry(i, done.error().code, done.error().message);
      continue;
    }
    if (!done->torn.empty())
      host().warning(done->path.string() + ": half a row of " + std::to_string(done->torn.size()) +
                     " bytes, left by a crash, was cut off; its record comes again");
    for (const std::size_t i : batch.places) answers.accept(i);
  }
  return {};
}

}  // namespace thalweg::tabular
