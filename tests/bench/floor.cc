#include "bench/floor.h"

#include <sodium.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <stdexcept>

#include "base/hash.h"
#include "bench/payloads.h"
#include "model/parcel.h"
#include "model/record.h"
#include "model/record_checker.h"
#include "model/schema.h"
#include "trust/keys.h"
#include "trust/merkle.h"
#include "trust/seal.h"

namespace thalweg::bench {
namespace {

constexpr std::size_t kRecords = 1000;
constexpr std::size_t kChunkBytes = 64 << 10;  // of the link

void need(bool good, const char* what) {
  if (!good) throw std::runtime_error(std::string("the floor cannot be measured: ") + what);
}

/// The median of several runs of `work`, µs per record.
template <class Work>
double per_record(Work&& work) {
  std::vector<double> times;
  for (int run = 0; run < 21; ++run) {
    const auto begin = std::chrono::steady_clock::now();
    work();
    times.push_back(std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - begin).count());
  }
  std::nth_element(times.begin(), times.begin() + 10, times.end());
  return times[10] / kRecords;
}

}  // namespace

std::vector<Step> floor_steps() {
  Payloads payloads;
  std::vector<Bytes> records;
  for (const std::string& text : payloads.batch(kRecords)) {
    records.emplace_back(text.begin(), text.end());
    records.back().reserve(text.size() + kRecordPadding);  // what a checker may read behind it
  }
  const std::vector<ByteView> views(records.begin(), records.end());
  auto schemas = SchemaSet::load_builtin();
  need(schemas.has_value(), "schemas");
  RecordChecker checker(*schemas);
  std::vector<Fault> faults;
  std::vector<Step> steps;

  steps.push_back({"check against the schema", 2, per_record([&] {
                     for (const ByteView record : views) need(checker.check(record, faults).has_value(), "a record");
                   })});
  steps.push_back({"SHA-256 and Merkle tree", 3, per_record([&] {
                     trust::RootBuilder tree;
                     for (const ByteView record : views) tree.add(trust::leaf_hash(kWholeRecord, record));
                     need(tree.root() != Hash256{}, "a root");
                   })});

  const trust::SigningKey key = trust::SigningKey::generate();
  ParcelHeader header;
  header.party = "500153";
  header.gate = "gate-1";
  header.number = 1;
  const auto sealed = trust::seal_parcel(header, views, key, Compression::kLz4);
  need(sealed.has_value(), "a parcel");
  const auto parcel = ParcelView::parse(*sealed);
  need(parcel.has_value(), "a parcel");
  steps.push_back(
      {"compress", 1, per_record([&] { need(!pack_body(views, Compression::kLz4).empty(), "compressing"); })});
  steps.push_back({"expand", 2, per_record([&] { need(ParcelBody::expand(*parcel).has_value(), "expanding"); })});

  const auto verifier = trust::Verifier::make(key.public_key());
  need(verifier.has_value(), "a key");
  trust::Signature signature{};
  steps.push_back({"sign (one for all)", 1, per_record([&] { signature = key.sign_raw(parcel->signed_bytes); })});
  steps.push_back({"verify (one for all)", 2,
                   per_record([&] { need(verifier->verify_raw(parcel->signed_bytes, signature), "a signature"); })});

  std::array<std::uint8_t, crypto_box_BEFORENMBYTES> shared{};
  std::array<std::uint8_t, crypto_box_NONCEBYTES> nonce{};
  Bytes secret(kChunkBytes + crypto_box_MACBYTES);
  steps.push_back(
      {"encrypt or decrypt (CURVE)", 4, per_record([&] {
         for (std::size_t at = 0; at < sealed->size(); at += kChunkBytes) {
           const std::size_t size = std::min(kChunkBytes, sealed->size() - at);
           need(crypto_box_easy_afternm(secret.data(), sealed->data() + at, size, nonce.data(), shared.data()) == 0,
                "encrypting");
         }
       })});
  Bytes block(sealed->size());
  steps.push_back({"into a log: copy, checksum, hash", 3, per_record([&] {
                     std::memcpy(block.data(), sealed->data(), block.size());
                     need(crc32c(block) != 0 && sha256({block}) != Hash256{}, "a block");
                   })});
  return steps;
}

double floor_us(const std::vector<Step>& steps) {
  double sum = 0;
  for (const Step& step : steps) sum += step.times * step.once_us;
  return sum;
}

}  // namespace thalweg::bench
