#include "chaos/hostile_lies.h"

#include <stdexcept>

#include "chaos/hostile_intruder.h"
#include "link/chunks.h"
#include "model/parcel.h"
#include "support/sample_records.h"
#include "trust/seal.h"

namespace thalweg::chaos {
namespace {

/// Parcels of one session's stream.
class Liar {
 public:
  Liar(Intruder& intruder, const Target& target) : intruder_(intruder), target_(target) {
    header_.party = target.party;
    header_.gate = "gate-1";
    header_.incarnation = intruder.incarnation();
    header_.ledger_id = intruder.welcome().ledger_id;
    header_.number = 1;
  }

  ParcelHeader& header() { return header_; }
  /// A record of a section that is in no region: refused, and nobody but the hub sees it.
  Bytes parcel(const std::string& party, const std::string& key) {
    const Bytes record = samples::record(party, "thalweg.section.observation.v1", "nowhere",
                                         samples::observation_data("2.82", "nowhere"), Lane::kRoutine, key);
    const ByteView views[] = {record};
    auto sealed = trust::seal_parcel(header_, views, target_.signing, Compression::kNone);
    if (!sealed) throw std::runtime_error(sealed.error().message);
    return *std::move(sealed);
  }
  /// What the hub says to it; kLinkLost when it said nothing.
  Code answer(std::uint64_t number, Bytes parcel) {
    const auto shared = std::make_shared<const Bytes>(std::move(parcel));
    link::ChunkSplitter splitter(link::Transfer::kParcel, number, shared);
    Bytes chunk;
    splitter.peek(link::kMaxChunkBytes, 0).encode(chunk);
    if (!intruder_.send(chunk)) return Code::kLinkLost;
    const auto came = intruder_.expect(link::MessageType::kAck);
    if (!came) return Code::kLinkLost;
    const auto ack = link::Ack::decode(*came);
    return ack ? ack->code : Code::kLinkFrame;
  }

 private:
  Intruder& intruder_;
  const Target& target_;
  ParcelHeader header_;
};

/// False: nothing came, and what comes later would be taken for the answer to something else.
bool expect(Code wanted, Code came, const std::string& what, Tally& tally) {
  if (came == wanted)
    ++tally[what];
  else if (came != Code::kLinkLost)  // the attack may have ended meanwhile
    ++tally["WRONG ANSWER " + std::to_string(static_cast<int>(came)) + " to " + what];
  return came != Code::kLinkLost;
}

}  // namespace

void lie(Intruder& intruder, const Target& target, std::uint64_t turn, Tally& tally) {
  Liar liar(intruder, target);
  const std::string key = "lie-" + std::to_string(turn);
  switch (turn % 7) {
    case 0: {
      Bytes parcel = liar.parcel(target.party, key);
      parcel[parcel.size() / 2] ^= 1;
      const Code code = liar.answer(1, std::move(parcel));
      expect(code, code, "changed parcels", tally);
      if (code == Code::kOk) ++tally["WRONG ANSWER: a changed parcel was taken"];
      break;
    }
    case 1:
      expect(Code::kParcelFormat, liar.answer(1, Bytes(5000, 0x55)), "parcels of noise", tally);
      break;
    case 2:
      liar.header().number = 5;
      expect(Code::kParcelGap, liar.answer(5, liar.parcel(target.party, key)), "gaps", tally);
      break;
    case 3:
      liar.header().party = "500153";
      expect(Code::kParcelStream, liar.answer(1, liar.parcel("500153", key)), "others' streams", tally);
      break;
    case 4: {
      // Taken, as a parcel; its record has a verdict.
      const Bytes first = liar.parcel("500153", key);
      if (!expect(Code::kOk, liar.answer(1, first), "records of others", tally)) return;
      for (int i = 0; i < 20; ++i)
        if (!expect(Code::kOk, liar.answer(1, first), "replays", tally)) return;
      if (!expect(Code::kParcelConflict, liar.answer(1, liar.parcel(target.party, key + "-2")), "forks", tally)) return;
      liar.header().number = 3;
      expect(Code::kParcelGap, liar.answer(3, liar.parcel(target.party, key + "-3")), "out of order", tally);
      break;
    }
    case 5: {
      link::Settle settle;
      settle.epoch = intruder.welcome().epoch;
      settle.sequence = settle.taken = std::uint64_t{1} << 40;
      settle.algorithm = kEd25519;
      settle.signature = Bytes(64, 1);
      if (intruder.say(settle)) ++tally["false settlements"];
      (void)intruder.wait_end(5);
      break;
    }
    default: {
      link::Chunk chunk;
      const Bytes payload(1000, 'W');
      chunk.number = 1;
      chunk.total = 5000;
      chunk.offset = 3000;
      chunk.bytes = payload;
      if (intruder.say(chunk)) ++tally["chunks out of order"];
      (void)intruder.wait_end(5);
    }
  }
}

}  // namespace thalweg::chaos
