// receipt_book.cc: see receipt_book.h.
#include "gate/receipt_book.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "gate/inbox.h"

namespace thalweg::gate {

using nlohmann::json;

namespace {

/// Where versions before places have the number of receipts.
constexpr std::uint64_t kWithPlaces = UINT64_MAX;
/// The longest that the schema allows is shorter.
constexpr std::size_t kMostTextBytes = 256;

std::string text_in(const json& data, const char* key) {
  const auto found = data.find(key);
  return found != data.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::string measures_in(const ledger::SegmentLog& log, ledger::Place place, std::uint32_t index) {
  const auto block = log.read(place.block);
  const auto item = block ? open_item(*block, place.entry) : block.error();
  if (!item || (*item)->delivered == nullptr) return {};
  const auto& records = (*item)->delivered->records();
  const auto at = std::find_if(records.begin(), records.end(), [&](const auto& one) { return one.index == index; });
  if (at == records.end()) return {};
  RecordReader reader;
  const auto envelope = reader.read(at->bytes);
  const json data = envelope ? json::parse(envelope->data_raw, nullptr, false) : json();
  return data.is_object() ? text_in(data, "measures") : std::string();
}

auto texts_of(auto& receipt) {
  return std::array{&receipt.party, &receipt.stage, &receipt.officer, &receipt.by, &receipt.at, &receipt.telephone};
}

}  // namespace

void ReceiptBook::Book::keep(Kept kept) {
  const RecordId record = kept.receipt.record;
  const std::string party = kept.receipt.party;
  for (auto [at, end] = receipts.equal_range(record); at != end; ++at) {
    if (at->second.receipt.id == kept.receipt.id) return;
  }
  receipts.emplace(record, std::move(kept));
  std::size_t count = 0;
  bool signed_for = false;
  auto oldest = receipts.end();
  for (auto [at, end] = receipts.equal_range(record); at != end; ++at) {
    const Receipt& one = at->second.receipt;
    if (one.party != party) continue;
    if (!signed_for && one.stage == "signed") {
      signed_for = true;
      continue;
    }
    if (count++ == 0) oldest = at;
  }
  if (count > kMostOfParty) receipts.erase(oldest);
}

void ReceiptBook::read_from(Lane lane, std::weak_ptr<const ledger::SegmentLog> inbox) {
  const std::lock_guard lock(mutex_);
  lanes_[static_cast<std::size_t>(lane)].inbox = std::move(inbox);
}

void ReceiptBook::add(Lane lane, ledger::Place place, std::uint32_t index, const Envelope& envelope) {
  const json data = json::parse(envelope.data_raw, nullptr, false);
  if (!data.is_object()) return;
  auto record = Uuid::parse(text_in(data, "record"));
  if (!record) return;
  const auto text = [&](const char* key) { return text_in(data, key).substr(0, kMostTextBytes); };
  Kept kept;
  kept.receipt = {*record,       envelope.record_id, std::string(envelope.party),
                  text("stage"), text("officer"),    text("by"),
                  text("at"),    text("telephone"),  {}};
  if (data.contains("measures")) {
    kept.place = place;
    kept.index = index;
  }
  const std::lock_guard lock(mutex_);
  lanes_[static_cast<std::size_t>(lane)].keep(std::move(kept));
}

std::vector<Receipt> ReceiptBook::find(const RecordId& record) const {
  std::vector<Receipt> out;
  for (const Book& book : lanes_) {
    std::vector<Kept> found;
    std::shared_ptr<const ledger::SegmentLog> log;
    {
      const std::lock_guard lock(mutex_);
      for (auto [at, end] = book.receipts.equal_range(record); at != end; ++at) found.push_back(at->second);
      log = book.inbox.lock();
    }
    for (Kept& one : found) {
      if (one.place.block != 0 && log != nullptr) one.receipt.measures = measures_in(*log, one.place, one.index);
      out.push_back(std::move(one.receipt));
    }
  }
  return out;
}

void ReceiptBook::encode(Lane lane, Bytes& out) const {
  const std::lock_guard lock(mutex_);
  const Book& book = lanes_[static_cast<std::size_t>(lane)];
  ByteWriter writer(out);
  writer.u64(kWithPlaces);
  writer.u64(book.receipts.size());
  for (const auto& [record, kept] : book.receipts) {
    writer.raw(record.bytes);
    writer.raw(kept.receipt.id.bytes);
    for (const std::string* text : texts_of(kept.receipt)) writer.short_text(*text);
    writer.blob(as_bytes(kept.receipt.measures));
    kept.place.encode(writer);
    writer.u32(kept.index);
  }
}

bool ReceiptBook::decode(Lane lane, ByteReader& in) {
  const std::lock_guard lock(mutex_);
  Book& book = lanes_[static_cast<std::size_t>(lane)];
  book.receipts.clear();
  std::uint64_t count = in.u64();
  const bool places = count == kWithPlaces;
  if (places) count = in.u64();
  for (std::uint64_t i = 0; i < count && in.ok(); ++i) {
    Kept kept;
    kept.receipt.record.bytes = in.array<16>();
    kept.receipt.id.bytes = in.array<16>();
    for (std::string* text : texts_of(kept.receipt)) *text = in.short_text();
    kept.receipt.measures = as_text(in.blob());
    if (places) {
      kept.place = ledger::Place::decode(in);
      kept.index = in.u32();
    }
    if (in.ok()) book.keep(std::move(kept));
  }
  return in.ok();
}

}  // namespace thalweg::gate
