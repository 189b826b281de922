#include "trust/private_file.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <fstream>

#include "support/temp_folder.h"
#include "trust/keys.h"

using namespace thalweg;
using namespace thalweg::trust;

namespace {

unsigned mode_of(const Path& path) {
  struct stat info {};
  REQUIRE(::stat(path.c_str(), &info) == 0);
  return info.st_mode & 07777;
}

/// Takes back the umask at the end of the test.
class Umask {
 public:
  explicit Umask(mode_t mask) : before_(::umask(mask)) {}
  ~Umask() { ::umask(before_); }
  Umask(const Umask&) = delete;
  Umask& operator=(const Umask&) = delete;

 private:
  mode_t before_;
};

void write(const Path& path, std::string_view text) {
  std::ofstream(path) << text;
  REQUIRE(::chmod(path.c_str(), 0600) == 0);
}

std::string read(const Path& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

TEST_CASE("private keys come back from their files as they were", "[trust]") {
  const TempFolder folder;
  const SigningKey key = SigningKey::generate();
  REQUIRE(key.save(folder / "signing.key"));
  CHECK(SigningKey::load(folder / "signing.key")->public_key() == key.public_key());
  CHECK(read(folder / "signing.key").starts_with("thalweg-private-key ed25519 v1\n"));
  CHECK(read(folder / "signing.key").size() == 31 + 45);

  const CurveKeyPair pair = CurveKeyPair::generate();
  REQUIRE(pair.save(folder / "curve.key"));
  const Result<CurveKeyPair> loaded = CurveKeyPair::load(folder / "curve.key");
  REQUIRE(loaded);
  CHECK(loaded->public_z85 == pair.public_z85);
  CHECK(loaded->secret_z85 == pair.secret_z85);
}

TEST_CASE("a private key file is 0600 whatever the umask", "[trust]") {
  const TempFolder folder;
  for (const mode_t mask : {0000, 0022, 0077, 0777}) {
    const Umask set(mask);
    const Path path = folder / ("key-" + std::to_string(mask));
    REQUIRE(SigningKey::generate().save(path));
    CHECK(mode_of(path) == 0600);
    CHECK(SigningKey::load(path));
  }
}

TEST_CASE("a private key that others may touch is refused, and the message says what to type", "[trust]") {
  const TempFolder folder;
  const Path path = folder / "signing.key";
  REQUIRE(SigningKey::generate().save(path));
  for (const mode_t mode : {0640, 0620, 0610, 0604, 0602, 0601, 0644, 0666, 0777, 0440}) {
    REQUIRE(::chmod(path.c_str(), mode) == 0);
    const Result<SigningKey> key = SigningKey::load(path);
    REQUIRE_FALSE(key);
    CHECK(key.error().code == Code::kKeyPermissions);
    CHECK(key.error().message.find("chmod 600 " + path.string()) != std::string::npos);
  }
  REQUIRE(::chmod(path.c_str(), 0400) == 0);
  CHECK(SigningKey::load(path));

  const Path curve = folder / "curve.key";
  REQUIRE(CurveKeyPair::generate().save(curve));
  REQUIRE(::chmod(curve.c_str(), 0644) == 0);
  CHECK(CurveKeyPair::load(curve).error().code == Code::kKeyPermissions);
}

TEST_CASE("a private key of another user is refused", "[trust]") {
  if (::geteuid() != 0) return;  // only root can give a file away
  const TempFolder folder;
  const Path path = folder / "signing.key";
  REQUIRE(SigningKey::generate().save(path));
  if (::chown(path.c_str(), 65534, 65534) != 0) {
    REQUIRE(errno == EPERM);
    WARN("this root may give no file away (CAP_CHOWN): not tried");
    return;
  }
  const Result<SigningKey> key = SigningKey::load(path);
  REQUIRE_FALSE(key);
  CHECK(key.error().code == Code::kKeyPermissions);
  CHECK(key.error().message.find("chown root " + path.string()) != std::string::npos);
}

TEST_CASE("a private key is never written over", "[trust]") {
  const TempFolder folder;
  const Path path = folder / "signing.key";
  const SigningKey first = SigningKey::generate();
  REQUIRE(first.save(path));
  CHECK(SigningKey::generate().save(path).error().code == Code::kExists);
  CHECK(SigningKey::load(path)->public_key() == first.public_key());

  REQUIRE(::symlink("nowhere", (folder / "dangling").c_str()) == 0);
  CHECK(SigningKey::generate().save(folder / "dangling").error().code == Code::kExists);
  CHECK(SigningKey::generate().save(folder / "no" / "such" / "folder").error().code == Code::kIo);
  std::size_t files = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder.path())) ++files;
  CHECK(files == 2);  // nothing half-written is left
}

TEST_CASE("what is no private key file is refused with a code", "[trust]") {
  const TempFolder folder;
  const Path path = folder / "a.key";
  const std::string seed = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";
  const auto outcome = [&](std::string_view text) {
    write(path, text);
    const Result<SigningKey> key = SigningKey::load(path);
    // What stands in the file never stands in a message.
    if (!key) CHECK(key.error().message.find(seed.substr(0, 8)) == std::string::npos);
    return key ? Code::kOk : key.error().code;
  };
  const std::string head = "thalweg-private-key ed25519 v1\n";
  CHECK(outcome(head + seed + "\n") == Code::kOk);
  CHECK(outcome(head + seed) == Code::kOk);
  CHECK(outcome("thalweg-private-key ed25519 v1\r\n" + seed + "\r\n") == Code::kOk);
  CHECK(outcome("") == Code::kKeyUnreadable);
  CHECK(outcome(seed) == Code::kKeyUnreadable);
  CHECK(outcome(head) == Code::kKeyUnreadable);
  CHECK(outcome(head + "\n") == Code::kKeyUnreadable);
  CHECK(outcome(head + seed + "\n" + seed + "\n") == Code::kKeyUnreadable);
  CHECK(outcome(head + seed + "\n\n") == Code::kKeyUnreadable);
  CHECK(outcome(head + seed.substr(4) + "\n") == Code::kKeyUnreadable);
  CHECK(outcome(head + " " + seed.substr(1) + "\n") == Code::kKeyUnreadable);
  CHECK(outcome(head + std::string(44, '*') + "\n") == Code::kKeyUnreadable);
  CHECK(outcome(head + std::string(42, 'A') + "==\n") == Code::kKeyUnreadable);
  CHECK(outcome(head + std::string(5000, 'A')) == Code::kKeyUnreadable);
  CHECK(outcome("thalweg-private-key sm2 v1\n" + seed + "\n") == Code::kAlgorithmUnknown);
  CHECK(outcome("thalweg-private-key ed25519 v2\n" + seed + "\n") == Code::kAlgorithmUnknown);
  CHECK(outcome("thalweg-private-key curve v1\n" + seed + "\n") == Code::kAlgorithmUnknown);
  CHECK(CurveKeyPair::load(path).error().code == Code::kKeyUnreadable);

  CHECK(SigningKey::load(folder / "missing").error().code == Code::kKeyUnreadable);
  CHECK(SigningKey::load(folder.path()).error().code == Code::kKeyUnreadable);
  REQUIRE(::mkfifo((folder / "pipe").c_str(), 0600) == 0);
  CHECK(SigningKey::load(folder / "pipe").error().code == Code::kKeyUnreadable);
}
