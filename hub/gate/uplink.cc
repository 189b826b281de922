// uplink.cc: see uplink.h.
#include "gate/uplink.h"

#include "base/log.h"
#include "model/parcel.h"
#include "trust/checkpoint.h"
#include "trust/settlement.h"

namespace thalweg::gate {
namespace {
// Sent and not acknowledged: enough for a fast line, little enough for memory.
constexpr std::uint64_t kUnderWayBytes = 8u << 20;
constexpr std::uint32_t kPause_ms = 5000;
constexpr std::uint32_t kAfterRefusal_ms = 5000;
// Settlements are cumulative, and each costs a signature here and a check of it at the hub: the first goes at once, and
// under load no more than a hundred a second follow.
constexpr auto kSettleEvery = std::chrono::milliseconds(10);
}  // namespace

Uplink::Uplink(Loop& loop, const Clock& clock, const GateConfig& config, const trust::SigningKey& key, GateTrust& trust,
               Outbox& outbox, Inbox& inbox, UplinkOptions options)
    : loop_(loop),
      clock_(clock),
      config_(config),
      key_(key),
      trust_(trust),
      outbox_(outbox),
      inbox_(inbox),
      options_(std::move(options)),
      pause_(loop.io()),
      settle_pause_(loop.io()) {
  view_.since_unix_ns = clock.wall_unix_ns();
}

Status Uplink::start() {
  link::GateLinkEvents events;
  events.make_hello = [this] { return make_hello(); };
  events.on_welcome = [this](const link::Welcome& welcome) { return on_welcome(welcome); };
  events.on_ack = [this](const link::Ack& ack) { on_ack(ack); };
  events.on_delivery = [this](std::uint64_t sequence, Bytes bytes) {
    if (Status stored = inbox_.on_delivery(sequence, std::move(bytes)); !stored) {
      log::error("gate", "{}: {}", name(options_.lane), stored.error().message);
      reconnect(kAfterRefusal_ms);  // at once: what comes behind it would be refused as well, without end
    }
  };
  events.on_progress = [this](const link::Progress& progress) { outbox_.on_progress(progress); };
  events.on_document = [this](const link::Document& document) { on_document(document); };
  events.on_room = [this] { pump(); };
  events.on_down = [this](Code code, std::string_view text, std::string_view endpoint) {
    next_ = 0;
    under_way_.clear();
    under_way_bytes_ = 0;
    if (view_.open || view_.code != code) {
      view_.since_unix_ns = clock_.wall_unix_ns();
      log::info("link", "{}: {} ({})", name(options_.lane), text, endpoint);
    }
    view_.open = false;
    view_.code = code;
    view_.problem = text;
    view_.hub = endpoint;
  };
  TW_ASSIGN(link_, link::GateLink::start(loop_, clock_, options_.link, std::move(events)));
  return {};
}

void Uplink::stop() {
  auto link = loop_.run([this] {
    pause_.cancel();
    settle_pause_.cancel();
    return std::move(link_);
  });
  link.reset();
}

link::Hello Uplink::make_hello() {
  link::Hello hello;
  hello.party = config_.party;
  hello.gate = config_.gate;
  hello.lane = options_.lane;
  hello.program = options_.program;
  outbox_.fill(hello);
  inbox_.fill(hello);
  return hello;
}

Code Uplink::on_welcome(const link::Welcome& welcome) {
  next_ = 0;
  under_way_.clear();
  under_way_bytes_ = 0;
  if (!welcome.checkpoint.empty()) {
    // The hub's own signature says which ledger this is; CURVE says only that it is the hub.
    auto checkpoint = trust::decode_checkpoint(welcome.checkpoint);
    const Status checked = trust_.check_checkpoint(welcome.checkpoint);
    if (!checked || !checkpoint || checkpoint->ledger_id != welcome.ledger_id || checkpoint->lane != options_.lane) {
      log::error("gate", "{}: the hub's checkpoint does not hold; the session ends", name(options_.lane));
      return Code::kProofInvalid;
    }
  }
  const Resume resume = outbox_.on_welcome(welcome);
  if (resume.how == Resume::How::kForeign) return Code::kLedgerForeign;
  if (!welcome.checkpoint.empty()) outbox_.on_checkpoint(welcome.checkpoint);
  view_.open = true;
  view_.code = Code::kOk;
  view_.problem.clear();
  if (link_) view_.hub = link_->endpoint();
  view_.since_unix_ns = clock_.wall_unix_ns();
  pause_.cancel();
  if (resume.how == Resume::How::kLater) {
    wait_and_reconnect();
  } else if (resume.how != Resume::How::kNewIncarnation) {
    next_ = resume.next;
    acked_ = resume.next - 1;
  } else {
    wait_and_reconnect();  // if the new stream cannot be written; else it is connected anew as soon as it is
  }
  inbox_.on_welcome(welcome);
  pump();
  return Code::kOk;
}

void Uplink::pump() {
  if (link_ == nullptr || next_ == 0 || !link_->open()) return;
  while (next_ <= outbox_.head() && under_way_bytes_ < kUnderWayBytes) {
    auto bytes = outbox_.parcel(next_);
    if (!bytes) {
      log::error("gate", "{}: parcel {} cannot be read: {}", name(options_.lane), next_, bytes.error().message);
      next_ = 0;
      return wait_and_reconnect();
    }
    const std::size_t size = (*bytes)->size();
    if (!link_->send_parcel(next_, *std::move(bytes))) return;
    under_way_.emplace_back(next_, size);
    under_way_bytes_ += size;
    ++next_;
  }
}

void Uplink::on_ack(const link::Ack& ack) {
  if (next_ == 0) return;  // told already: what comes behind is refused for the same reason, or asked for again
  if (ack.code == Code::kOk) {
    if (Status taken = outbox_.on_ack(ack); !taken) {
      log::error("gate", "{}: the answer to parcel {} is not kept, it is asked for again: {}", name(options_.lane),
                 ack.number, taken.error().message);
      return ask_again();
    }
    acked_ = std::max(acked_, ack.number);
    while (!under_way_.empty() && under_way_.front().first <= ack.number) {
      under_way_bytes_ -= under_way_.front().second;
      under_way_.pop_front();
    }
    return pump();
  }
  log::warning("gate", "{}: parcel {} was not taken: {} (code {})", name(options_.lane), ack.number, ack.text,
               static_cast<int>(ack.code));
  view_.problem = ack.text;
  view_.code = ack.code;
  next_ = 0;
  const bool sealed_wrong = ack.code == Code::kParcelSignature || ack.code == Code::kParcelConflict ||
                            ack.code == Code::kParcelLedger || ack.code == Code::kParcelRoot;
  if (sealed_wrong) outbox_.seal_anew(ack.code);  // and when the new stream cannot be written, it is asked again
  wait_and_reconnect();
}

// A refusal consumes no number: the same parcel goes again, after a pause, with a new HELLO.
void Uplink::wait_and_reconnect() {
  pause_.expires_after(std::chrono::milliseconds(kPause_ms));
  pause_.async_wait([this](boost::system::error_code error) {
    if (!error) reconnect();
  });
}

void Uplink::ask_again() {
  next_ = 0;
  wait_and_reconnect();
}

void Uplink::reconnect(std::uint32_t after_ms) {
  if (link_ != nullptr) link_->reconnect(after_ms);
}

void Uplink::on_new_stream() {
  if (link_ != nullptr && link_->open()) link_->reconnect();
}

void Uplink::give_credit(std::uint64_t bytes) {
  if (link_ != nullptr) link_->taken(bytes);
}

void Uplink::settle(const InboxStand& stand) {
  unsettled_ = stand;
  if (!settle_paused_) send_settlement();
}

void Uplink::send_settlement() {
  settle_paused_ = unsettled_.has_value();
  if (!settle_paused_) return;
  const InboxStand stand = *std::exchange(unsettled_, std::nullopt);
  settle_pause_.expires_after(kSettleEvery);
  settle_pause_.async_wait([this](boost::system::error_code error) {
    if (!error) send_settlement();
  });
  if (link_ == nullptr || !link_->open()) return;  // on_welcome says it again
  trust::SettlementStatement statement;
  statement.ledger_id = outbox_.state().ledger_id;
  statement.lane = options_.lane;
  statement.receiver = config_.party;
  statement.gate = config_.gate;
  statement.epoch = stand.epoch;
  statement.sequence = stand.sequence;
  statement.taken = stand.taken;
  statement.dead = stand.dead;
  statement.root = stand.root;
  const Bytes bytes = trust::statement_bytes(statement);
  const trust::Signature signature = key_.sign(trust::domain::kSettlement, {bytes});
  link::Settle settle;
  settle.epoch = stand.epoch;
  settle.sequence = stand.sequence;
  settle.taken = stand.taken;
  settle.dead = stand.dead;
  settle.root = stand.root;
  settle.algorithm = kEd25519;
  settle.signature.assign(signature.begin(), signature.end());
  link_->settle(settle);
}

void Uplink::on_document(const link::Document& document) {
  Status learned;
  switch (document.kind) {
    case link::Document::Kind::kCertificate:
      learned = trust_.learn_certificate(document.bytes);
      break;
    case link::Document::Kind::kRevocation:
      learned = trust_.learn_revocation(document.bytes);
      break;
    case link::Document::Kind::kCheckpoint:
      learned = trust_.check_checkpoint(document.bytes);
      if (learned) outbox_.on_checkpoint(document.bytes);
      break;
    case link::Document::Kind::kRegion:
      learned = trust_.learn_manifest(document.bytes, config_.party);
      break;
    case link::Document::Kind::kHubCard:
      break;  // addresses change by a new file from the operator, whose fingerprint people compare
  }
  // A certificate that was replaced since, or is of a gate revoked since, comes with every session: no news.
  const bool key =
      document.kind == link::Document::Kind::kCertificate || document.kind == link::Document::Kind::kRevocation;
  if (learned ||
      (key && (learned.error().code == Code::kKeyRevoked || learned.error().code == Code::kCertificateInvalid)))
    return;
  if (learned.error().code == Code::kIo || learned.error().code == Code::kDiskFull ||
      learned.error().code == Code::kSyncFailed) {
    // A pin that could not be written. What comes of that party would be kept apart as not believed: it waits, and
    // documents come with every session.
    log::error("gate", "{}: a document of the hub cannot be kept: {}", name(options_.lane), learned.error().message);
    return reconnect(kPause_ms);
  }
  ++view_.disbelieved;
  log::error("gate", "{}: a document of the hub is not believed: {}", name(options_.lane), learned.error().message);
}

UplinkView Uplink::view() const {
  UplinkView view = view_;
  view.next_parcel = next_;
  if (link_ != nullptr) {
    view.clock_offset = link_->clock_offset();
    view.counters = link_->counters();
  }
  return view;
}

}  // namespace thalweg::gate
