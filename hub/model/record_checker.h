// record_checker.h: checks a whole record: its attributes, then its data against the schema of its type.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/record.h"
#include "model/record_shape.h"
#include "model/schema.h"
#include "model/schema_walker.h"

namespace thalweg {

/// The gate asks it before it signs, the hub before it accepts; both by the same schemas, so that they agree.
///
/// Borrows: `schemas`, which outlives it. Owns: the reader's and walker's buffers. Threads: one at a time; make one per
/// thread.
class RecordChecker {
 public:
  explicit RecordChecker(const SchemaSet& schemas) : schemas_(schemas) {}

  /// Checks attributes, type, `dataschema`, the whole of `data`, and that `subject` is what `data` says.
  /// kRecordPadding bytes behind `record` must be readable.
  ///
  /// `faults` is replaced by all that is wrong, at most kMaxFaults, attributes first. The envelope is returned whenever
  /// its attributes hold, also when the type is unknown or the data is at fault: the record is good when
  /// refusal_of(faults) says nothing. Otherwise the error is the first fault.
  /// Codes: those of RecordReader; kRecordTypeUnknown with the nearest types; kRecordSchema; kFactorUnknown with the
  /// nearest factors. No allocation when all is well; about 1 µs per KB, and half of that for a record that is shaped
  /// like earlier ones (record_shape.h), whose verdict is the same by either way.
  Result<Envelope> check(ByteView record, std::vector<Fault>& faults);
  /// The same for bytes without padding, at the price of a copy. The views point into `record`.
  Result<Envelope> check_copy(ByteView record, std::vector<Fault>& faults);

 private:
  template <class Read>
  Result<Envelope> check_by(const Read& read, std::vector<Fault>& faults);
  void learn(std::string_view type);
  std::uint32_t check_data(const Envelope& envelope, TokenStream& tokens, std::uint32_t first);

  const SchemaSet& schemas_;
  RecordReader reader_;
  RecordShapes shapes_;
  SchemaWalker walker_;
  std::vector<Fault> data_faults_;
};

inline constexpr std::string_view kNoticeType = "thalweg.emergency.notice.v1";

/// Turns what never stops an urgent notice (kSectionUnknown, kFactorUnknown, kClockOffset) into kMarkedUnverified; the
/// paths and messages stay, for 待核实. Other records keep their faults.
void soften_for_urgent(const Envelope& envelope, std::vector<Fault>& faults);
/// The same for one code that was found elsewhere (the region, the clock).
Code softened_for_urgent(const Envelope& envelope, Code code);

}  // namespace thalweg
