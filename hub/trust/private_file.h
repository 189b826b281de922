// private_file.h: files that hold a secret: written and read so that nobody but the owner ever could.
// Not through base's file seam: what counts here are owner and mode of the very file that is read.
#pragma once

#include "base/bytes.h"
#include "base/file.h"

namespace thalweg::trust {

/// Bytes that are cleansed on destruction. Never grows, so that no copy is left behind in freed memory.
class Secret {
 public:
  explicit Secret(std::size_t size) : bytes_(size) {}
  Secret(Secret&& other) noexcept : bytes_(std::move(other.bytes_)) { other.bytes_.clear(); }
  Secret& operator=(Secret&&) = delete;
  ~Secret();

  std::uint8_t* data() { return bytes_.data(); }
  std::size_t size() const { return bytes_.size(); }
  ByteView view() const { return bytes_; }
  std::string_view text() const { return as_text(bytes_); }
  void shrink(std::size_t size) { bytes_.resize(size); }

 private:
  Bytes bytes_;
};

/// Cleanses a string's memory; it is empty afterwards.
void cleanse(std::string& text);

/// Reads a private key file "thalweg-private-key <kind> v1", and gives the text of its second line.
/// Errors: kKeyPermissions, kKeyUnreadable, kAlgorithmUnknown (another kind or version).
Result<Secret> read_private_file(const Path& path, std::string_view kind);

/// Writes a new one, mode 0600, durable, never over an existing file. Errors: kExists, kIo.
Status write_private_file(const Path& path, std::string_view kind, std::string_view secret_line);

}  // namespace thalweg::trust
