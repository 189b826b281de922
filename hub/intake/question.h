// question.h: what routing must know of a record, read from its data.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "model/record.h"
#include "routing/route_table.h"

namespace thalweg::intake {

/// A routing question with what it is about that is not in the envelope. Views point into the record and the reader.
struct RecordQuestion {
  routing::Question question;
  std::string_view incident;  ///< notices and receipts: the incident they belong to
  RecordId answered;          ///< receipts: the record that is answered; zero for all else
};

/// Reads questions. Section data costs nothing, since its section is the subject; other families cost one pass over
/// `data`.
///
/// Threads: one at a time. What read() gave is void after the next read().
class QuestionReader {
 public:
  QuestionReader();
  ~QuestionReader();

  /// `envelope` was checked against its schema, so members have the types that the schema says; whatever does not is
  /// taken as absent. kRecordPadding bytes behind the record must be readable.
  RecordQuestion read(const Envelope& envelope);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace thalweg::intake
