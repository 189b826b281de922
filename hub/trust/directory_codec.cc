// The snapshot of a KeyDirectory as bytes.
#include "trust/directory.h"

namespace thalweg::trust {
namespace {

constexpr std::string_view kMagic = "TWK1";

Error damaged() { return {Code::kDamaged, "the snapshot of the key directory is damaged"}; }

}  // namespace

Bytes KeyDirectory::encode() const {
  Bytes bytes;
  ByteWriter out(bytes);
  out.raw(as_bytes(kMagic));
  out.u8(has_hub_ ? 1 : 0);
  out.u8(hub_.algorithm);
  out.raw(hub_.bytes);
  const auto sorted_pins = pins();
  out.u32(static_cast<std::uint32_t>(sorted_pins.size()));
  for (const auto& [party, fingerprint] : sorted_pins) {
    out.short_text(party);
    out.raw(fingerprint);
  }
  const auto sorted_gates = gates();
  out.u32(static_cast<std::uint32_t>(sorted_gates.size()));
  for (const GateKeys* gate : sorted_gates) {
    out.u64(gate->revoked_through);
    out.u32(static_cast<std::uint32_t>(gate->entries.size()));
    for (const GateKeys::Entry& entry : gate->entries) {
      out.i64(entry.recorded_unix_ns);
      out.i64(entry.revoked_unix_ns);
      out.blob(as_bytes(entry.certificate.document()));
    }
  }
  out.u32(static_cast<std::uint32_t>(revocations_.size()));
  for (const auto& [revocation, block_unix_ns] : revocations_) {
    out.i64(block_unix_ns);
    out.blob(as_bytes(revocation.document()));
  }
  return bytes;
}

Result<KeyDirectory::Ptr> KeyDirectory::decode(ByteView bytes) {
  std::shared_ptr<KeyDirectory> directory(new KeyDirectory());
  ByteReader in(bytes);
  if (as_text(in.raw(kMagic.size())) != kMagic) return damaged();
  directory->has_hub_ = in.u8() == 1;
  directory->hub_.algorithm = in.u8();
  directory->hub_.bytes = in.array<32>();
  for (std::uint32_t left = in.u32(); left != 0 && in.ok(); --left) {
    std::string party(in.short_text());
    directory->pins_.insert_or_assign(std::move(party), in.array<32>());
  }
  for (std::uint32_t left = in.u32(); left != 0 && in.ok(); --left) {
    GateKeys gate;
    gate.revoked_through = in.u64();
    for (std::uint32_t more = in.u32(); more != 0 && in.ok(); --more) {
      const std::int64_t recorded = in.i64();
      const std::int64_t revoked = in.i64();
      Result<Signed<GateCertificate>> opened = open_certificate(in.blob());
      if (!opened) return damaged();
      Signed<GateCertificate> certificate = *std::move(opened);
      TW_ASSIGN(Verifier verifier, Verifier::make(certificate->signing));
      if (!gate.entries.empty() && (gate.party != certificate->party || gate.gate != certificate->gate)) {
        return damaged();
      }
      gate.party = certificate->party;
      gate.gate = certificate->gate;
      gate.entries.push_back({std::move(certificate), std::move(verifier), recorded, revoked});
    }
    if (gate.entries.empty()) return damaged();
    directory->put(std::move(gate));
  }
  for (std::uint32_t left = in.u32(); left != 0 && in.ok(); --left) {
    const std::int64_t block_unix_ns = in.i64();
    Result<Signed<Revocation>> revocation = open_revocation(in.blob());
    if (!revocation) return damaged();
    directory->revocations_.emplace_back(*std::move(revocation), block_unix_ns);
  }
  if (!in.done()) return damaged();
  return Ptr(std::move(directory));
}

}  // namespace thalweg::trust
