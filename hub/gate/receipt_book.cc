// receipt_book.cc: see receipt_book.h.
#include "gate/receipt_book.h"

#include <nlohmann/json.hpp>

namespace thalweg::gate {

using nlohmann::json;

void ReceiptBook::add(Lane lane, const Envelope& envelope) {
  const json data = json::parse(envelope.data_raw, nullptr, false);
  if (!data.is_object()) return;
  const auto text = [&](const char* key) {
    const auto found = data.find(key);
    return found != data.end() && found->is_string() ? found->get<std::string>() : std::string();
  };
  auto record = Uuid::parse(text("record"));
  if (!record) return;
  Receipt receipt{*record,    envelope.record_id, std::string(envelope.party), text("stage"),   text("officer"),
                  text("by"), text("at"),         text("telephone"),           text("measures")};
  const std::lock_guard lock(mutex_);
  auto& book = lanes_[static_cast<std::size_t>(lane)];
  for (auto [at, end] = book.equal_range(*record); at != end; ++at) {
    if (at->second.id == receipt.id) return;
  }
  book.emplace(*record, std::move(receipt));
}

std::vector<Receipt> ReceiptBook::find(const RecordId& record) const {
  const std::lock_guard lock(mutex_);
  std::vector<Receipt> out;
  for (const auto& book : lanes_) {
    for (auto [at, end] = book.equal_range(record); at != end; ++at) out.push_back(at->second);
  }
  return out;
}

void ReceiptBook::encode(Lane lane, Bytes& out) const {
  const std::lock_guard lock(mutex_);
  const auto& book = lanes_[static_cast<std::size_t>(lane)];
  ByteWriter writer(out);
  writer.u64(book.size());
  for (const auto& [record, receipt] : book) {
    writer.raw(receipt.record.bytes);
    writer.raw(receipt.id.bytes);
    for (const std::string* text :
         {&receipt.party, &receipt.stage, &receipt.officer, &receipt.by, &receipt.at, &receipt.telephone}) {
      writer.short_text(*text);
    }
    writer.blob(as_bytes(receipt.measures));
  }
}

bool ReceiptBook::decode(Lane lane, ByteReader& in) {
  const std::lock_guard lock(mutex_);
  auto& book = lanes_[static_cast<std::size_t>(lane)];
  book.clear();
  const std::uint64_t count = in.u64();
  for (std::uint64_t i = 0; i < count && in.ok(); ++i) {
    Receipt receipt;
    receipt.record.bytes = in.array<16>();
    receipt.id.bytes = in.array<16>();
    for (std::string* text :
         {&receipt.party, &receipt.stage, &receipt.officer, &receipt.by, &receipt.at, &receipt.telephone}) {
      *text = in.short_text();
    }
    receipt.measures = as_text(in.blob());
    if (in.ok()) book.emplace(receipt.record, std::move(receipt));
  }
  return in.ok();
}

}  // namespace thalweg::gate
