// box_query.cc: see box_query.h.
#include "gate/box_query.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "gate/inbox.h"
#include "gate/inbox_entries.h"
#include "gate/outbox_entries.h"
#include "model/decision.h"
#include "model/parcel.h"
#include "model/record.h"
#include "model/time.h"
#include "model/verdict.h"

namespace thalweg::gate {
namespace {

using nlohmann::json;
constexpr std::uint64_t kMostBytes = 512ull << 20;

/// Visits entries from the newest to the oldest until `visit` returns false. True when all were visited.
template <class Visit>
Result<bool> newest_first(const ledger::SegmentLog& log, Visit&& visit) {
  std::uint64_t bytes = 0;
  for (std::uint64_t block = log.head().number; block >= std::max<std::uint64_t>(log.first_block(), 1); --block) {
    auto held = log.read(block);
    if (!held && held.error().code == Code::kNotFound) return true;  // dropped meanwhile
    if (!held) return Error(std::move(held).error());
    for (std::uint32_t i = static_cast<std::uint32_t>((*held)->entries.size()); i-- > 0;) {
      if (!visit(*held, i)) return false;
    }
    bytes += (*held)->info.bytes;
    if (bytes > kMostBytes) return false;
  }
  return true;
}

bool matches(const BoxFilter& filter, const Envelope& envelope) {
  if (filter.record && envelope.record_id != *filter.record) return false;
  if (!filter.type.empty() && envelope.type != filter.type) return false;
  if (!filter.subject.empty() && envelope.subject != filter.subject) return false;
  return envelope.time_unix_ns >= filter.since_unix_ns && envelope.time_unix_ns <= filter.until_unix_ns;
}

json describe(const Envelope& envelope, const BoxContext& context) {
  json out = {{"lane", name(context.lane)},     {"id", envelope.record_id.text()}, {"type", envelope.type},
              {"subject", envelope.subject},    {"time", envelope.time},           {"from", envelope.party},
              {"submitter", envelope.submitter}};
  if (!envelope.exercise.empty()) out["exercise"] = envelope.exercise;
  if (!envelope.correlationid.empty()) out["correlation"] = envelope.correlationid;
  return out;
}

json describe(const Receipt& receipt) {
  json out = {{"id", receipt.id.text()},    {"party", receipt.party}, {"stage", receipt.stage},
              {"officer", receipt.officer}, {"by", receipt.by},       {"at", receipt.at}};
  if (!receipt.telephone.empty()) out["telephone"] = receipt.telephone;
  if (!receipt.measures.empty()) out["measures"] = receipt.measures;
  return out;
}

struct Contact {
  std::string name_zh, name_en, duty_phone;
};

std::map<std::string, Contact> contacts_of(const std::string& manifest) {
  std::map<std::string, Contact> out;
  const json region = json::parse(manifest, nullptr, false);
  if (!region.is_object() || !region.contains("parties") || !region["parties"].is_array()) return out;
  for (const json& party : region["parties"]) {
    if (!party.is_object()) continue;
    const auto text = [&](const char* key) {
      return party.contains(key) && party[key].is_string() ? party[key].get<std::string>() : std::string();
    };
    out[text("code")] = {text("name_zh"), text("name_en"), text("duty_phone")};
  }
  return out;
}

json describe(const Grant& grant) {
  return {{"agreement", grant.agreement},
          {"version", grant.version},
          {"fallback", (grant.flags & Grant::kFallback) != 0},
          {"receivers", grant.receivers}};
}

bool covers(const Grant& grant, std::uint32_t index) {
  return std::any_of(grant.records.begin(), grant.records.end(), [&](const IndexRange& range) {
    return index >= range.first && index - range.first < range.count;
  });
}

/// What the hub said, and how far each receiver is, for one record of a parcel.
void add_hub(json& out, const ParcelHeader& header, std::uint32_t index, const AcknowledgedEntry* acknowledged,
             const RecordId& record, const BoxContext& context) {
  out["parcel"] = header.number;
  if (acknowledged == nullptr) {
    out["state"] = "stored";  // in the outbox; the hub has not answered yet
    return;
  }
  out["state"] = "accepted";
  out["accepted_at"] = format_rfc3339(acknowledged->block_unix_ns, context.utc_offset_minutes);
  out["block"] = acknowledged->block;
  if (auto verdicts = ParcelVerdicts::decode(ByteView(acknowledged->verdicts))) {
    if (const RecordVerdict* verdict = verdicts->find(index)) {
      out["code"] = static_cast<int>(verdict->code);
      out["text"] = verdict->text;
      const bool refused = is_refusal(verdict->code) && verdict->code != Code::kRecordDuplicate;
      out["state"] = refused ? "refused" : "accepted";
    }
  }
  ByteReader in(acknowledged->decision);
  auto decision = Decision::decode(in);
  if (!decision) return;
  json grants = json::array();
  std::vector<std::string> receivers;
  for (const Grant& grant : decision->grants) {
    if (!covers(grant, index)) continue;
    grants.push_back(describe(grant));
    receivers.insert(receivers.end(), grant.receivers.begin(), grant.receivers.end());
  }
  std::sort(receivers.begin(), receivers.end());
  receivers.erase(std::unique(receivers.begin(), receivers.end()), receivers.end());
  out["grants"] = std::move(grants);
  out["receivers"] = receivers;
  if (!context.whole) return;

  const auto contacts = contacts_of(context.manifest);
  const auto receipts = context.receipts != nullptr ? context.receipts->find(record) : std::vector<Receipt>();
  json steps = json::array();
  for (const std::string& receiver : receivers) {
    json step = {{"party", receiver}, {"in_inbox", nullptr}, {"taken", nullptr}, {"signed", nullptr}};
    if (header.incarnation == context.incarnation) {
      const auto far = context.progress.find(receiver);
      step["in_inbox"] = far != context.progress.end() && far->second.first >= header.number;
      step["taken"] = far != context.progress.end() && far->second.second >= header.number;
    }
    json own = json::array();
    for (const Receipt& receipt : receipts) {
      if (receipt.party != receiver) continue;
      own.push_back(describe(receipt));
      if (receipt.stage == "signed" && step["signed"].is_null()) step["signed"] = describe(receipt);
      step["in_inbox"] = true;  // who signs has it
    }
    step["receipts"] = std::move(own);
    if (const auto contact = contacts.find(receiver); contact != contacts.end()) {
      step["name_zh"] = contact->second.name_zh;
      step["name_en"] = contact->second.name_en;
      step["duty_phone"] = contact->second.duty_phone;
    }
    steps.push_back(std::move(step));
  }
  out["progress"] = std::move(steps);
}

}  // namespace

Result<json> search_outbox(const ledger::SegmentLog& log, const BoxFilter& filter, const BoxContext& context,
                           bool& complete) {
  json found = json::array();
  // Going back in time, a parcel's answer is met before the parcel. Of two answers the older one is the true one: a
  // later one answers a repeat.
  std::map<std::uint64_t, AcknowledgedEntry> answers;
  std::set<RecordId> seen;
  RecordReader reader;
  const auto visit = [&](const ledger::BlockPtr& block, std::uint32_t at) {
    const ledger::EntryRef& entry = block->entries[at];
    switch (static_cast<OutboxType>(entry.type)) {
      case OutboxType::kIncarnation:
        answers.clear();
        return true;
      case OutboxType::kAcknowledged:
        if (auto answer = AcknowledgedEntry::decode(entry.bytes)) {
          const std::uint64_t number = answer->number;
          answers[number] = *std::move(answer);
        }
        return true;
      case OutboxType::kParcel:
        break;
      default:
        return true;
    }
    ByteReader in(entry.bytes);
    auto head = ParcelEntryHead::decode(in);
    if (!head) return true;
    auto parcel = ParcelView::parse(in.raw(in.left()));
    if (!parcel) return true;
    const auto answer = answers.find(parcel->header.number);
    auto body = ParcelBody::expand(*parcel);
    if (!body) return true;
    for (std::size_t i = body->count(); i-- > 0;) {
      auto envelope = reader.read(body->record(i));
      if (!envelope || !matches(filter, *envelope)) continue;
      if (!seen.insert(envelope->record_id).second) continue;  // sent anew in a later stream
      json one = describe(*envelope, context);
      one["box"] = "outbox";
      one["stored_at"] = format_rfc3339(block->info.time_unix_ns, context.utc_offset_minutes);
      add_hub(one, parcel->header, static_cast<std::uint32_t>(i), answer == answers.end() ? nullptr : &answer->second,
              envelope->record_id, context);
      if (context.whole) one["raw"] = as_text(body->record(i));
      found.push_back(std::move(one));
      if (found.size() >= filter.limit) return false;
    }
    if (answer != answers.end()) answers.erase(answer);
    return true;
  };
  TW_ASSIGN(complete, newest_first(log, visit));
  return found;
}

Result<json> search_inbox(const ledger::SegmentLog& log, const BoxFilter& filter, const BoxContext& context,
                          bool& complete) {
  json found = json::array();
  RecordReader reader;
  const auto visit = [&](const ledger::BlockPtr& block, std::uint32_t at) {
    if (block->entries[at].type != static_cast<std::uint8_t>(InboxType::kDelivery)) return true;
    auto item = open_item(block, at);
    if (!item || (*item)->delivered == nullptr || (*item)->delivered->withdrawn()) return true;
    const Delivered& delivered = *(*item)->delivered;
    for (std::size_t i = delivered.records().size(); i-- > 0;) {
      const Delivered::Record& record = delivered.records()[i];
      if ((*item)->was_held(record.index)) continue;
      auto envelope = reader.read(record.bytes);
      if (!envelope || !matches(filter, *envelope)) continue;
      json one = describe(*envelope, context);
      one["box"] = "inbox";
      one["received_at"] = format_rfc3339((*item)->received_unix_ns, context.utc_offset_minutes);
      one["accepted_at"] = format_rfc3339(delivered.delivery().block_unix_ns, context.utc_offset_minutes);
      one["block"] = delivered.delivery().block;
      one["state"] = (*item)->doubt == Code::kOk ? "received" : "doubtful";
      if ((*item)->doubt != Code::kOk) {
        one["code"] = static_cast<int>((*item)->doubt);
        one["text"] = (*item)->doubt_text;
      }
      json grants = json::array();
      if (const Grant* grant = delivered.grant_of(record.index)) grants.push_back(describe(*grant));
      one["grants"] = std::move(grants);
      if (context.whole) {
        one["raw"] = as_text(record.bytes);
        json receipts = json::array();
        if (context.receipts != nullptr) {
          for (const Receipt& receipt : context.receipts->find(envelope->record_id))
            receipts.push_back(describe(receipt));
        }
        one["receipts"] = std::move(receipts);
      }
      found.push_back(std::move(one));
      if (found.size() >= filter.limit) return false;
    }
    return true;
  };
  TW_ASSIGN(complete, newest_first(log, visit));
  return found;
}

}  // namespace thalweg::gate
