// body_codec.h: what parcels and parts have in common: the signed header, and a body that may be compressed.
// Private to model.
#pragma once

#include <memory>

#include "model/parcel.h"

namespace thalweg::body_codec {

/// Reads a header and its signature. Errors: kAlgorithmUnknown, kParcelFormat.
struct Head {
  ParcelHeader header;
  ByteView signed_bytes;
  ByteView signature;
};
Result<Head> read_head(ByteReader& in);

/// A body as it is stored.
struct Stored {
  Compression compression = Compression::kNone;
  std::uint32_t raw_size = 0;
  ByteView bytes;
};
/// Reads a body that goes to the end of `in`. Errors: kParcelTooLarge when it would expand to more than
/// `max_raw_bytes`, kParcelFormat.
Result<Stored> read_body(ByteReader& in, std::size_t max_raw_bytes);

/// The raw bytes, with kRecordPadding zeros behind them. Errors: kParcelFormat.
Result<std::unique_ptr<std::uint8_t[]>> expand(const Stored& body);

/// Appends a body that holds `raw`.
void append_body(ByteView raw, Compression compression, Bytes& out);

}  // namespace thalweg::body_codec
