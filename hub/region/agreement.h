// agreement.h: what parties have agreed to exchange. Only one in force opens a route, for its topics and scope only.
#pragma once

#include <limits>

#include "model/lane.h"
#include "region/party.h"
#include "region/topic.h"

namespace thalweg::region {

enum class AgreementKind : std::uint8_t {
  kStatutory,  ///< a duty by law: always in force, never suspended or ended
  kBilateral,
  kMultilateral,
  kInternal,  ///< within one government, e.g. bureau and river-chief office
};
enum class AgreementStatus : std::uint8_t { kProposed, kSigned, kInForce, kSuspended, kEnded };
enum class Direction : std::uint8_t { kMutual, kOneWay };

/// Waters that an agreement is about.
struct Scope {
  bool all = false;
  std::vector<RiverIndex> rivers;      ///< ascending
  std::vector<SectionIndex> sections;  ///< ascending

  /// kNone stands for "not known": only a scope of all waters covers that.
  bool covers(RiverIndex river, SectionIndex section) const;
};

/// Room for the signature of a party's identity key over the agreement. Kept and shown; not yet verified.
struct AgreementSignature {
  PartyIndex party = kNone;
  std::string key;        ///< fingerprint of the identity key
  std::string signature;  ///< base64
};

struct Agreement {
  std::string id;
  std::uint32_t version = 1;
  Words title;
  AgreementKind kind = AgreementKind::kBilateral;
  std::string citation;             ///< legal basis or document number
  std::vector<PartyIndex> parties;  ///< ascending
  Direction direction = Direction::kMutual;
  std::vector<PartyIndex> from;     ///< may send; all parties when mutual. Ascending
  std::vector<PartyIndex> to;       ///< may receive; all parties when mutual. Ascending
  std::vector<std::string> topics;  ///< words of families, or whole types
  Scope scope;
  bool routine = true;  ///< opens the routine lane
  bool urgent = false;  ///< opens the urgent lane, for `urgent_topics`
  std::vector<std::string> urgent_topics;
  AgreementStatus status = AgreementStatus::kProposed;
  std::int64_t from_unix_ns = std::numeric_limits<std::int64_t>::min();
  std::int64_t to_unix_ns = std::numeric_limits<std::int64_t>::max();  ///< exclusive
  std::uint32_t deadline_minutes = 0;  ///< within which a record is owed; 0 when none is set
  std::uint32_t interval_minutes = 0;  ///< how often it is owed; 0 when none is set
  std::vector<AgreementSignature> signatures;

  bool in_force(std::int64_t at_unix_ns) const {
    return status == AgreementStatus::kInForce && from_unix_ns <= at_unix_ns && at_unix_ns < to_unix_ns;
  }
  /// Does it cover records of this type on this lane? Notices may always be urgent (rule 24).
  bool covers(std::string_view type, Lane lane) const;
  bool lets(PartyIndex sender, PartyIndex receiver) const;
  /// Not every party has signed: the operator of the hub says that it holds.
  bool asserted_by_operator() const { return signatures.size() < parties.size(); }
};

}  // namespace thalweg::region
