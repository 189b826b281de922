// record.h: reads the envelope of a record: one CloudEvents 1.0 event in JSON. See docs/formats/record.md.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "model/fault.h"
#include "model/ids.h"
#include "model/lane.h"

namespace thalweg {

class TokenStream;

inline constexpr std::size_t kMaxRecordBytes = 1 << 20;
/// Bytes behind a record that must be readable (their content does not matter): simdjson reads in wide steps.
inline constexpr std::size_t kRecordPadding = 64;
/// Objects and arrays inside one another, the record itself being the first. Checked where all of a record is walked
/// (record_checker.h).
inline constexpr std::size_t kMaxRecordDepth = 16;
inline constexpr std::size_t kMaxExtensions = 16;          ///< attributes that record.md does not name
inline constexpr std::size_t kMaxExtensionNameBytes = 20;  ///< as CloudEvents advises
inline constexpr std::size_t kMaxExtensionValueBytes = 1024;

/// The attributes of one record. All views point into the record's own bytes, never into the reader: attributes are
/// written without escapes, so none has to be decoded. Absent optional attributes are empty.
struct Envelope {
  std::string_view id;
  std::string_view source;         ///< "/party/<code>"
  std::string_view party;          ///< the code in `source`; the hub's own code for what the hub concludes
  std::string_view type;           ///< "thalweg.section.observation.v1"
  std::string_view subject;        ///< section, incident or case
  std::string_view time;           ///< as written
  std::string_view lane;           ///< as written
  std::string_view dataschema;     ///< optional
  std::string_view exercise;       ///< optional: the drill's id; absent means real
  std::string_view correlationid;  ///< optional: incident, case, drill
  std::string_view submitter;      ///< optional: the adapter instance or person that submitted it
  std::string_view data_raw;       ///< the bytes of the object `data`, from '{' to '}'

  RecordId record_id;
  std::int64_t time_unix_ns = 0;
  Lane lane_value = Lane::kRoutine;
};

/// Reads envelopes without building a document, by one pass over the record's tokens (token_stream.h). Owns: simdjson's
/// working memory, 4 bytes per byte of the longest record so far.
///
/// Threads: one at a time.
class RecordReader {
 public:
  RecordReader();
  ~RecordReader();
  RecordReader(RecordReader&&) noexcept;
  RecordReader& operator=(RecordReader&&) noexcept;

  /// Called where `data` begins, at token `first`, with the attributes that stand in front of it. Returns the token
  /// behind the data, or 0: then it is skipped.
  using DataWalk = std::function<std::uint32_t(TokenStream& tokens, std::uint32_t first, const Envelope& so_far)>;

  /// Asked when the tokens are found: true when it knows the record to be good and has filled in the envelope, which
  /// ends the reading.
  using Known = std::function<bool(const TokenStream& tokens, Envelope& envelope)>;

  /// Reads the attributes and finds `data`; kRecordPadding bytes behind `record` must be readable.
  ///
  /// On success every attribute is valid, none stands twice, nothing follows the object, and the whole is UTF-8. What
  /// is inside `data` was skipped, not checked: see RecordChecker. On failure `faults` (if given) names every
  /// attribute at fault, and the error is the first of them.
  /// Errors: kRecordTooLarge, kRecordNotJson, kRecordAttributeMissing, kRecordAttributeInvalid. 0.2 µs per KB.
  Result<Envelope> read(ByteView record, std::vector<Fault>* faults = nullptr, const DataWalk& walk = {},
                        const Known& known = {});

  /// The same for bytes without padding, at the price of a copy. The views point into `record`.
  Result<Envelope> read_copy(ByteView record, std::vector<Fault>* faults = nullptr, const DataWalk& walk = {},
                             const Known& known = {});

  /// Of the record that was read last, while its bytes stay: its tokens, the one at which `data` begins (0: there is no
  /// object `data`, the whole is not JSON, or it was known), and, when read() failed, what was read all the same.
  TokenStream& tokens();
  std::uint32_t data_token() const;
  const Envelope& partial() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// The code in "/party/<code>", or empty when `source` is not of that form.
std::string_view party_of(std::string_view source);

}  // namespace thalweg
