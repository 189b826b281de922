#include "model/ids.h"

#include <sys/random.h>

#include <algorithm>
#include <cerrno>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/invariant.h"

namespace thalweg {
namespace {

constexpr char kDigits[] = "0123456789abcdef";
constexpr std::size_t kTextSize = 36;

constexpr std::array<std::uint8_t, 256> make_hex_values() {
  std::array<std::uint8_t, 256> values{};
  for (auto& value : values) value = 0xff;
  for (std::uint8_t i = 0; i < 10; ++i) values['0' + i] = i;
  for (std::uint8_t i = 0; i < 6; ++i) values['a' + i] = values['A' + i] = static_cast<std::uint8_t>(10 + i);
  return values;
}
constexpr auto kHexValues = make_hex_values();

// Where the two digits of each byte stand.
constexpr std::array<std::uint8_t, 16> kPlaces = {0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34};

bool is_code_character(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' || c == '_' || c == '-';
}

}  // namespace

std::string Uuid::text() const {
  std::string text(kTextSize, '-');
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    text[kPlaces[i]] = kDigits[bytes[i] >> 4];
    text[kPlaces[i] + 1U] = kDigits[bytes[i] & 15];
  }
  return text;
}

Result<Uuid> Uuid::parse(std::string_view text) {
  Uuid id;
  bool good = text.size() == kTextSize && text[8] == '-' && text[13] == '-' && text[18] == '-' && text[23] == '-';
  if (good) {
    unsigned seen = 0;
    for (std::size_t i = 0; i < id.bytes.size(); ++i) {
      const unsigned high = kHexValues[static_cast<std::uint8_t>(text[kPlaces[i]])];
      const unsigned low = kHexValues[static_cast<std::uint8_t>(text[kPlaces[i] + 1U])];
      seen |= high | low;
      id.bytes[i] = static_cast<std::uint8_t>(high << 4 | low);
    }
    good = seen <= 15;
  }
  if (!good) return Error{Code::kData, "not a UUID: 8-4-4-4-12 hex digits"};
  return id;
}

Uuid Uuid::v7(std::int64_t unix_ms, std::span<const std::uint8_t, 10> entropy) {
  const std::uint64_t ms = static_cast<std::uint64_t>(std::max<std::int64_t>(unix_ms, 0));
  Uuid id;
  for (std::size_t i = 0; i < 6; ++i) id.bytes[i] = static_cast<std::uint8_t>(ms >> (40 - 8 * i));
  std::copy(entropy.begin(), entropy.end(), id.bytes.begin() + 6);
  id.bytes[6] = static_cast<std::uint8_t>((id.bytes[6] & 0x0f) | 0x70);
  id.bytes[8] = static_cast<std::uint8_t>((id.bytes[8] & 0x3f) | 0x80);
  return id;
}

RecordId record_id_for(std::int64_t unix_ms, std::string_view party, std::string_view instance,
                       std::string_view origin_key) {
  // The sizes, as u32 each, keep ("ab", "c") and ("a", "bc") apart.
  std::array<std::uint8_t, 8> sizes;
  for (std::size_t i = 0; i < 4; ++i) {
    sizes[i] = static_cast<std::uint8_t>(party.size() >> (8 * i));
    sizes[4 + i] = static_cast<std::uint8_t>(instance.size() >> (8 * i));
  }
  const Hash256 hash =
      sha256({as_bytes("thalweg record id v1"), sizes, as_bytes(party), as_bytes(instance), as_bytes(origin_key)});
  return Uuid::v7(unix_ms, std::span<const std::uint8_t, 32>(hash).first<10>());
}

Uuid random_uuid_v7(const Clock& clock) {
  std::array<std::uint8_t, 10> entropy;
  ssize_t got;
  do {
    got = ::getrandom(entropy.data(), entropy.size(), 0);
  } while (got < 0 && errno == EINTR);
  THALWEG_INVARIANT(got == static_cast<ssize_t>(entropy.size()));  // up to 256 bytes are given whole
  return Uuid::v7(clock.wall_unix_ns() / 1'000'000, entropy);
}

bool valid_code(std::string_view text) {
  return !text.empty() && text.size() <= 64 && text[0] != '.' && text[0] != '-' &&
         std::all_of(text.begin(), text.end(), is_code_character);
}

std::string StreamId::text() const {
  std::string text = party;
  text += '/';
  text += gate;
  text += '/';
  text += incarnation.text();
  text += '/';
  text += name(lane);
  return text;
}

}  // namespace thalweg
