// record.cc: a record is read by two ways; they agree, and what they return lies inside the record.
#include "base/invariant.h"
#include "model/record_checker.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace thalweg;
  static const SchemaSet schemas = *SchemaSet::load_builtin();
  static RecordChecker checker(schemas);
  static RecordReader reader;
  const ByteView record(data, size);
  std::vector<Fault> faults, faults_of_reader;
  const auto checked = checker.check_copy(record, faults);
  const auto read = reader.read_copy(record, &faults_of_reader);
  THALWEG_INVARIANT(checked.has_value() == read.has_value());
  THALWEG_INVARIANT(faults.size() <= kMaxFaults);
  if (!read) {
    THALWEG_INVARIANT(!faults.empty());
    return 0;
  }
  THALWEG_INVARIANT(checked->data_raw == read->data_raw && checked->type == read->type);
  const std::string_view text = as_text(record);
  THALWEG_INVARIANT(read->data_raw.data() >= text.data() &&
                    read->data_raw.data() + read->data_raw.size() <= text.data() + text.size());
  THALWEG_INVARIANT(read->data_raw.front() == '{' && read->data_raw.back() == '}');
  return 0;
}
