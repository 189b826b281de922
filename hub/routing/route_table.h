// route_table.h: from a record to its receivers, by agreements in force and, for notices, along the water. Start here.
#pragma once

#include "model/decision.h"
#include "region/region.h"

namespace thalweg::routing {

using region::AgreementIndex;
using region::PartyIndex;

enum class NoticeKind : std::uint8_t { kNone, kWarning, kInformation, kSearch, kEnd };
/// "warning", "information", "search", "end"; anything else is kNone, which is routed like information: a notice is
/// never stopped.
NoticeKind notice_kind_from(std::string_view word);

/// What routing must know of a record. Views are borrowed for the call.
struct Question {
  std::string_view party;  ///< code of the origin, from the record's source
  std::string_view type;
  Lane lane = Lane::kRoutine;
  std::string_view section;  ///< code, MN or (notices) name; for section data the subject. Empty: none named
  std::string_view river;    ///< code, name or alias; empty: none named
  NoticeKind notice = NoticeKind::kNone;
  std::span<const std::string_view> case_parties = {};  ///< enforcement: the parties that the record names
  std::span<const std::string_view> told_before = {};   ///< end of alert: who got the incident's notices so far
  std::string_view answers_to;                          ///< receipts: origin of the record that is answered
};

/// Why a hop may be.
enum class Basis : std::uint8_t {
  kAgreement,  ///< an agreement in force
  kFallback,   ///< no route was found: adjoining parties and their superior (rule 24)
  kHierarchy,  ///< a report to the superior: the law's, needs no agreement
  kAnswer,     ///< a receipt to the origin of what it answers
};

struct Hop {
  Basis basis = Basis::kAgreement;
  AgreementIndex agreement = region::kNone;  ///< for Basis::kAgreement
  std::span<const PartyIndex> receivers;     ///< each receiver stands in one hop of a route only
};

/// Whom a record goes to, or why to nobody. Points into its table and itself: use it before the table goes.
struct Route {
  /// kOk; kFallbackRoute: goes, marked; kMarkedUnverified: goes, but its section or river is not known;
  /// kNoAgreement, kLaneNotAllowed, kSectionUnknown (routine only), kRecordSourceMismatch (party not in the region):
  /// refused.
  Code code = Code::kOk;
  std::span<const Hop> hops;
  region::Words text;                    ///< for all codes but kOk: what is missing, or which agreement would be needed
  std::vector<std::string> not_reached;  ///< case parties that get nothing: unknown, or no agreement allows it

  /// A notice that nobody can be told of (no neighbour, no superior) goes, too: it is kept and marked, not refused.
  bool goes() const { return !hops.empty() || code == Code::kFallbackRoute; }

  Route() = default;
  Route(Route&&) = default;
  Route& operator=(Route&&) = default;
  Route(const Route&) = delete;  ///< `hops` may point into `own_*`
  Route& operator=(const Route&) = delete;

  std::vector<Hop> own_hops;  ///< where the table has none ready (notices, cases)
  std::vector<PartyIndex> own_receivers;
};

/// The routes that a region opens at one moment. Immutable. Threads: any.
///
/// What is in force is worked out once, here; a question then costs a few hash look-ups, however many agreements there
/// are. Make a new table when the region changes and when `next_change_unix_ns()` has come.
class RouteTable {
 public:
  struct Tables;  ///< tables.h

  RouteTable(std::shared_ptr<const region::Region> region, std::int64_t at_unix_ns);
  ~RouteTable();
  RouteTable(RouteTable&&) noexcept;
  RouteTable& operator=(RouteTable&&) noexcept;

  /// 0.05 to 0.2 µs and without allocation for section data and other types by agreement, and for receipts; notices
  /// walk the water. Never throws on bad input.
  Route route(const Question& question) const;

  const region::Region& region() const;
  std::shared_ptr<const region::Region> shared_region() const;
  std::int64_t at_unix_ns() const;
  /// The next moment at which an agreement begins or ends by date; INT64_MAX when none does.
  std::int64_t next_change_unix_ns() const;

  /// May `receiver` still be given records of this kind from `sender` (rule 3: a permission withdrawn stops what is not
  /// yet delivered)? `agreement` is the one it went by. True for fallback, hierarchy and answers (empty id).
  bool still_allows(std::string_view agreement, std::string_view sender, std::string_view receiver) const;

 private:
  std::unique_ptr<Tables> tables_;
};

/// The hops as they are stored beside the parcel; `records` is left to the caller.
std::vector<Grant> grants_of(const region::Region& region, const Route& route);

}  // namespace thalweg::routing
