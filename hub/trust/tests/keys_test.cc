#include "trust/keys.h"

#include <openssl/evp.h>
#include <zmq.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <thread>
#include <vector>

#include "trust/tests/made_keys.h"

using namespace thalweg;
using namespace thalweg::trust;

namespace {

template <std::size_t N>
std::array<std::uint8_t, N> hex(std::string_view text) {
  const Bytes bytes = *from_hex(text);
  std::array<std::uint8_t, N> array;
  REQUIRE(bytes.size() == N);
  std::copy(bytes.begin(), bytes.end(), array.begin());
  return array;
}

PublicKey key_of_hex(std::string_view text) {
  PublicKey key;
  key.bytes = hex<32>(text);
  return key;
}

}  // namespace

TEST_CASE("Ed25519 gives the signature of RFC 8032, test 2", "[trust]") {
  const SigningKey key =
      SigningKey::from_seed(hex<32>("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb"));
  CHECK(to_hex(key.public_key().bytes) == "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c");
  const Bytes message = {0x72};
  const Signature signature = key.sign_raw(message);
  CHECK(to_hex(signature) ==
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00");
  CHECK(Verifier::make(key.public_key())->verify_raw(message, signature));
}

TEST_CASE("what is signed here holds for another library, and the other way round", "[trust]") {
  const std::array<std::uint8_t, 32> seed = hex<32>("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb");
  const SigningKey key = SigningKey::from_seed(seed);
  const Verifier verifier = *Verifier::make(key.public_key());
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> other(
      EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, seed.data(), seed.size()), EVP_PKEY_free);
  for (std::size_t size = 0; size < 300; size += 7) {
    const Bytes message(size, static_cast<std::uint8_t>(size));
    const Signature ours = key.sign_raw(message);
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
    REQUIRE(EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, other.get()) == 1);
    CHECK(EVP_DigestVerify(context.get(), ours.data(), ours.size(), message.data(), size) == 1);
    Signature theirs{};
    std::size_t length = theirs.size();
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> signing(EVP_MD_CTX_new(), EVP_MD_CTX_free);
    REQUIRE(EVP_DigestSignInit(signing.get(), nullptr, nullptr, nullptr, other.get()) == 1);
    REQUIRE(EVP_DigestSign(signing.get(), theirs.data(), &length, message.data(), size) == 1);
    CHECK(verifier.verify_raw(message, theirs));
  }
}

TEST_CASE("a signature holds for its key, domain and parts only", "[trust]") {
  const SigningKey key = made_key(1);
  const Bytes head = {1, 2, 3};
  const Bytes tail = {4, 5};
  const Signature signature = key.sign(domain::kParcel, {head, tail});
  const Verifier verifier = *Verifier::make(key.public_key());

  CHECK(verifier.verify(domain::kParcel, {head, tail}, signature));
  CHECK(verify(key.public_key(), domain::kParcel, {head, tail}, signature));
  CHECK_FALSE(verify(made_key(2).public_key(), domain::kParcel, {head, tail}, signature));
  CHECK_FALSE(verifier.verify(domain::kSettlement, {head, tail}, signature));
  CHECK_FALSE(verifier.verify(domain::kParcel, {tail, head}, signature));
  CHECK_FALSE(verifier.verify(domain::kParcel, {head}, signature));

  SECTION("the same bytes divided otherwise are another message") {
    const Bytes joined = {1, 2, 3, 4, 5};
    const Bytes longer = {1, 2, 3, 4};
    const Bytes shorter = {5};
    CHECK_FALSE(verifier.verify(domain::kParcel, {joined}, signature));
    CHECK_FALSE(verifier.verify(domain::kParcel, {longer, shorter}, signature));
    CHECK_FALSE(verifier.verify(domain::kParcel, {head, tail, {}}, signature));
  }
  SECTION("every bit of the signature counts") {
    for (std::size_t bit = 0; bit < signature.size() * 8; ++bit) {
      Signature bad = signature;
      bad[bit / 8] = static_cast<std::uint8_t>(bad[bit / 8] ^ (1U << bit % 8));
      CHECK_FALSE(verifier.verify(domain::kParcel, {head, tail}, bad));
    }
  }
}

TEST_CASE("one key signs and checks in many threads at once", "[trust]") {
  const SigningKey key = made_key(3);
  const Verifier verifier = *Verifier::make(key.public_key());
  std::vector<int> good(4);
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < good.size(); ++t) {
    threads.emplace_back([&, t] {
      for (std::uint8_t i = 0; i < 50; ++i) {
        const Bytes message = {static_cast<std::uint8_t>(t), i};
        if (verifier.verify(domain::kParcel, {message}, key.sign(domain::kParcel, {message}))) ++good[t];
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const int count : good) CHECK(count == 50);
}

TEST_CASE("generated keys differ", "[trust]") {
  CHECK(SigningKey::generate().public_key() != SigningKey::generate().public_key());
  CHECK(CurveKeyPair::generate().secret_z85 != CurveKeyPair::generate().secret_z85);
}

TEST_CASE("a public key of small order, with which anybody could sign, is refused", "[trust]") {
  // With the neutral element as key, (neutral element, 0) is a signature over every message.
  Signature forged{};
  forged[0] = 1;
  const PublicKey neutral = key_of_hex("0100000000000000000000000000000000000000000000000000000000000000");
  CHECK_FALSE(verify(neutral, domain::kParcel, {as_bytes("anything")}, forged));

  for (const char* text : {
           "0000000000000000000000000000000000000000000000000000000000000000",
           "0100000000000000000000000000000000000000000000000000000000000000",
           "0100000000000000000000000000000000000000000000000000000000000080",
           "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
           "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
           "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
           "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
           "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
           "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
           "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
       }) {
    INFO(text);
    const PublicKey key = key_of_hex(text);
    CHECK(Verifier::make(key).error().code == Code::kInvalid);
    CHECK(PublicKey::parse(key.text()).error().code == Code::kInvalid);
  }
}

TEST_CASE("a public key is read from its text, and from no other", "[trust]") {
  const PublicKey key = made_key(4).public_key();
  CHECK(key.text().starts_with("ed25519:"));
  CHECK(*PublicKey::parse(key.text()) == key);
  CHECK(PublicKey::parse("sm2:" + key.text().substr(8)).error().code == Code::kAlgorithmUnknown);
  CHECK(PublicKey::parse("").error().code == Code::kInvalid);
  CHECK(PublicKey::parse("ed25519:").error().code == Code::kInvalid);
  CHECK(PublicKey::parse("ed25519:AAAA").error().code == Code::kInvalid);
  CHECK(PublicKey::parse(key.text() + "\n").error().code == Code::kInvalid);
  CHECK(PublicKey::parse(key.text().substr(8)).error().code == Code::kInvalid);

  PublicKey foreign = key;
  foreign.algorithm = 2;
  CHECK(Verifier::make(foreign).error().code == Code::kAlgorithmUnknown);
  CHECK(foreign.fingerprint() != key.fingerprint());
}

TEST_CASE("a fingerprint is eight groups of five digits and survives the telephone", "[trust]") {
  Hash256 number{};
  CHECK(fingerprint_text(number) == "00000 00000 00000 00000 00000 00000 00000 00000");
  number[30] = 0x30;
  number[31] = 0x39;
  CHECK(fingerprint_text(number) == "00000 00000 00000 00000 00000 00000 00000 12345");
  number.fill(0xff);  // 2^256 - 1
  CHECK(fingerprint_text(number) == "32699 84665 64056 40394 57584 00791 31296 39935");

  const Hash256 fingerprint = made_key(5).public_key().fingerprint();
  const std::string text = fingerprint_text(fingerprint);
  CHECK(text.size() == 47);
  CHECK(fingerprint_equals(text, fingerprint));
  std::string typed = text;
  std::replace(typed.begin(), typed.end(), ' ', '-');
  CHECK(fingerprint_equals(typed + "\n", fingerprint));
  typed.erase(std::remove(typed.begin(), typed.end(), '-'), typed.end());
  CHECK(fingerprint_equals(typed, fingerprint));
  std::string full_width;
  for (const char digit : typed) full_width += std::string("\xef\xbc") + static_cast<char>('\x90' + (digit - '0'));
  CHECK(fingerprint_equals("\xe3\x80\x80" + full_width, fingerprint));

  CHECK_FALSE(fingerprint_equals("", fingerprint));
  CHECK_FALSE(fingerprint_equals(typed.substr(1), fingerprint));
  CHECK_FALSE(fingerprint_equals(typed + "0", fingerprint));
  CHECK_FALSE(fingerprint_equals(typed + "x", fingerprint));
  typed[39] = typed[39] == '0' ? '1' : '0';
  CHECK_FALSE(fingerprint_equals(typed, fingerprint));
}

TEST_CASE("Z85 is that of ZeroMQ's RFC 32", "[trust]") {
  CHECK(z85_encode(*from_hex("864fd26fb559f75b")) == "HelloWorld");
  CHECK(to_hex(*z85_decode("HelloWorld")) == "864fd26fb559f75b");
  CHECK(to_hex(*z85_decode("%nSc0")) == "ffffffff");
  CHECK_FALSE(z85_decode("%nSc1"));  // 2^32
  CHECK_FALSE(z85_decode("#####"));
  CHECK_FALSE(z85_decode("Hello W"));
  CHECK_FALSE(z85_decode("Hell~"));
  CHECK_FALSE(z85_decode("Hello\xff\xff\xff\xff\xff"));
  CHECK(z85_decode("")->empty());
  CHECK(valid_curve_key(made_curve(1)));
  CHECK_FALSE(valid_curve_key("HelloWorld"));
  CHECK_FALSE(valid_curve_key(made_curve(1) + "00000"));
}

TEST_CASE("ZeroMQ computes the same public key from our CURVE secret", "[trust]") {
  for (int i = 0; i < 20; ++i) {
    const CurveKeyPair pair = CurveKeyPair::generate();
    char open[41] = {};
    REQUIRE(zmq_curve_public(open, pair.secret_z85.c_str()) == 0);
    CHECK(pair.public_z85 == open);
  }
}

TEST_CASE("a CURVE key pair that was moved from holds no secret", "[trust]") {
  CurveKeyPair first = CurveKeyPair::generate();
  const std::string secret = first.secret_z85;
  CurveKeyPair second = std::move(first);
  CHECK(second.secret_z85 == secret);
  CHECK(first.secret_z85.empty());  // NOLINT: what is left is the point
  first = std::move(second);
  CHECK(first.secret_z85 == secret);
}
