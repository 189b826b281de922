// record_builder.h: makes the bytes of a record. See docs/formats/record.md.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "model/ids.h"
#include "model/lane.h"
#include "model/record_checker.h"

namespace thalweg {

/// What a record is made from. Views are borrowed until build_record() returns; empty optional ones are left out.
struct Draft {
  RecordId id;             ///< record_id_for(...) or a random one
  std::string_view party;  ///< code; becomes the source "/party/<code>"
  std::string_view type;
  std::string_view subject;
  std::string_view time;  ///< RFC 3339 with offset
  Lane lane = Lane::kRoutine;
  std::string_view exercise;     ///< optional
  std::string_view correlation;  ///< optional
  std::string_view submitter;    ///< optional
  std::string_view data_json;    ///< one JSON object, put in verbatim but for the blanks around it
};

/// Puts the record's bytes into `out` (what it held is replaced), with room for kRecordPadding bytes behind them, so
/// that RecordReader::read() may be called on it.
///
/// The attributes are checked by the rules of the reader; `data_json` is checked to be one object that cannot reach out
/// of its place; its inside is left to RecordChecker. On failure `out` is empty. Threads: any.
/// Errors: kRecordAttributeMissing, kRecordAttributeInvalid, kRecordNotJson, kRecordTooLarge. 0.2 µs per KB.
Status build_record(const Draft& draft, Bytes& out);

/// build_record() and RecordChecker::check() in one pass, for the way of most records. `out` and `faults` as with
/// these. Errors: of both; on failure `out` may hold anything. 0.5 µs per KB.
Result<Envelope> build_checked_record(const Draft& draft, RecordChecker& checker, Bytes& out,
                                      std::vector<Fault>& faults);

/// "https://thalweg.example/schemas/<type>.json"
std::string schema_uri(std::string_view type);

}  // namespace thalweg
