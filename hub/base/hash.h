// hash.h: SHA-256, the hash of every format here (algorithm id 1), and CRC-32C for torn writes.
#pragma once

#include <array>
#include <initializer_list>

#include "base/bytes.h"

namespace thalweg {

using Hash256 = std::array<std::uint8_t, 32>;

/// SHA-256 (FIPS 180-4) of the parts one after another. Any thread. 0.5 µs per KB.
Hash256 sha256(std::initializer_list<ByteView> parts);
inline Hash256 sha256(ByteView bytes) { return sha256({bytes}); }

/// CRC-32C (Castagnoli), as in iSCSI. Finds torn and flipped bytes; says nothing about intent.
/// `before` is the result for the bytes that stand in front of these. Any thread. 0.1 µs per KB with SSE4.2.
std::uint32_t crc32c(ByteView bytes, std::uint32_t before = 0);
/// The same without SSE4.2.
std::uint32_t crc32c_portable_for_test(ByteView bytes);

}  // namespace thalweg
