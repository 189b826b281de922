// tabular_sink.h: appends each record as a row to the table of its family, section and month.
#pragma once

#include <memory>

#include "row_writer.h"
#include "sink_file.h"
#include "thalweg/cpp/adapter.h"

namespace thalweg::tabular {

class TabularSink final : public Sink {
 public:
  static constexpr bool kExerciseAware = true;  // own files, named so, and a first column that says it

  TabularSink();
  Status configure(std::string_view json) override;
  Status start() override;
  Status deliver(std::span<const RecordView> records, Answers& answers, std::chrono::milliseconds deadline) override;

 private:
  const FactorTable factors_;
  SinkSettings settings_;
  std::unique_ptr<RowWriter> writer_;
  std::unique_ptr<SinkFiles> files_;
};

}  // namespace thalweg::tabular
