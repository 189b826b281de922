#include "link/parcel_intake.h"

#include <algorithm>

namespace thalweg::link {

ParcelIntake::ParcelIntake(std::shared_ptr<AssemblyPool> pool, std::string party, Lane lane, Options options)
    : pool_(std::move(pool)),
      party_(std::move(party)),
      lane_(lane),
      options_(options),
      assembler_(Transfer::kParcel, kMaxParcelTransferBytes),
      line_(options.floor_bytes),
      told_(options.floor_bytes) {}

void ParcelIntake::resume(KeptPartial kept) {
  assembler_ = std::move(kept.assembler);
  share_ = std::move(kept.share);
  // What is held and not paid for takes room in the floor until pay() finds room in the pool.
  const std::size_t held = assembler_.held_bytes();
  const std::size_t room = options_.floor_bytes + share_.bytes();
  line_ = CreditLine(room > held ? room - held : 0);
  pay();
  told_ = line_.limit();
}

Status ParcelIntake::add(const Chunk& chunk) {
  if (!line_.use(chunk.bytes.size()))
    return Error{Code::kLinkCredit, "a chunk beyond the credit of " + std::to_string(line_.limit()) + " bytes"};
  backlog_ = chunk.backlog;
  const std::size_t held_before = assembler_.held_bytes();
  TW_ASSIGN(std::optional<Bytes> whole, assembler_.add(chunk));
  // A chunk at offset 0 in mid-transfer gives up what was held: that room is credit again.
  if (chunk.offset == 0) line_.raise_to(line_.limit() + held_before);
  if (whole) {
    whole_bytes_ += whole->size();
    whole_.push_back({chunk.number, std::move(*whole)});
  }
  pay();
  return {};
}

void ParcelIntake::pay() {
  const std::size_t needed = whole_bytes_ + assembler_.held_bytes() + assembler_.missing_bytes();
  const std::size_t have = share_.bytes();
  const std::size_t need = needed > have ? needed - have : 0;
  const std::size_t spare = have > needed ? have - needed : 0;
  const std::size_t wish = static_cast<std::size_t>(std::min<std::uint64_t>(backlog_, options_.ahead_bytes));
  const std::size_t ahead = wish > spare ? wish - spare : 0;
  // Small wishes wait until they are worth a message.
  if (need > 0 || ahead >= options_.floor_bytes / 2) {
    PoolShare more = pool_->take(party_, lane_, need + ahead, need);
    line_.raise_to(line_.limit() + more.bytes());
    share_.join(std::move(more));
  }
  starving_ = share_.bytes() < needed;
}

std::optional<Assembled> ParcelIntake::next() {
  if (starving_) pay();
  if (whole_.empty() || share_.bytes() < whole_.front().bytes.size()) return std::nullopt;
  Assembled parcel;
  parcel.number = whole_.front().number;
  parcel.bytes = std::move(whole_.front().bytes);
  whole_.pop_front();
  whole_bytes_ -= parcel.bytes.size();
  parcel.share = share_.split(parcel.bytes.size());
  return parcel;
}

std::optional<std::uint64_t> ParcelIntake::credit_due() {
  const std::uint64_t limit = line_.limit();
  if (limit <= told_) return std::nullopt;
  const std::uint64_t worth = options_.floor_bytes / 2;
  if (limit - told_ < worth && told_ - line_.used() >= worth) return std::nullopt;
  told_ = limit;
  return limit;
}

KeptPartial ParcelIntake::keep() && {
  PoolShare share = share_.split(assembler_.held_bytes());
  return {std::move(assembler_), std::move(share)};
}

}  // namespace thalweg::link
