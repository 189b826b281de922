#include "link/local_message.h"

namespace thalweg::link {
namespace {

/// Writes the frame's header, and its size when the body is complete.
class Frame {
 public:
  Frame(Bytes& out, LocalType type) : out_(out), start_(out.size()), w_(out) {
    w_.u32(0);
    w_.u8(static_cast<std::uint8_t>(type));
  }
  ~Frame() {
    const auto size = static_cast<std::uint32_t>(out_.size() - start_ - sizeof(std::uint32_t));
    std::memcpy(out_.data() + start_, &size, sizeof size);
  }
  Frame(const Frame&) = delete;
  Frame& operator=(const Frame&) = delete;

  /// Cut at 65,535 bytes, which none of these texts needs.
  void text(std::string_view v) { w_.short_text(v.substr(0, UINT16_MAX)); }
  ByteWriter* operator->() { return &w_; }

 private:
  Bytes& out_;
  const std::size_t start_;
  ByteWriter w_;
};

Error bad(std::string_view what) {
  return {Code::kLinkFrame, "local frame " + std::string(what) + " is cut short or holds a value it may not have"};
}

Lane lane(ByteReader& in) {
  const std::uint8_t v = in.u8();
  if (v > 1) in.fail();
  return v == 1 ? Lane::kUrgent : Lane::kRoutine;
}

Answer answer(ByteReader& in) {
  const std::uint8_t v = in.u8();
  if (v > static_cast<std::uint8_t>(Answer::kRejected)) in.fail();
  return static_cast<Answer>(v);
}

/// The number of elements that follow, each of at least `least` bytes.
std::size_t count(ByteReader& in, std::size_t least) {
  const std::size_t n = in.u16();
  if (n > kMaxLocalItems || n * least > in.left()) in.fail();
  return in.ok() ? n : 0;
}

}  // namespace

void LocalHello::encode(Bytes& frame) const {
  Frame f(frame, LocalType::kHello);
  f->u16(version);
  f->u8(static_cast<std::uint8_t>(role));
  f->u8(static_cast<std::uint8_t>(lane));
  f.text(instance);
  f.text(token);
}

Result<LocalHello> LocalHello::decode(ByteView body) {
  ByteReader in(body);
  LocalHello m;
  m.version = in.u16();
  if (in.ok() && m.version != kLocalVersion)
    return Error{Code::kLinkVersion,
                 "the other side speaks version " + std::to_string(m.version) + " of the local protocol"};
  const std::uint8_t role = in.u8();
  if (role < 1 || role > 3) in.fail();
  m.role = static_cast<LocalRole>(role);
  m.lane = link::lane(in);
  m.instance = in.short_text();
  m.token = in.short_text();
  if (!in.done()) return bad("HELLO");
  return m;
}

void LocalSubmit::encode(Bytes& frame) const {
  std::size_t bytes = 64;
  for (const LocalDraft& d : drafts)
    bytes += 32 + d.type.size() + d.subject.size() + d.time.size() + d.exercise.size() + d.correlation.size() +
             d.origin_key.size() + d.data.size();
  frame.reserve(frame.size() + bytes);
  Frame f(frame, LocalType::kSubmit);
  f->u16(static_cast<std::uint16_t>(drafts.size()));
  for (const LocalDraft& d : drafts) {
    f->u64(d.ticket);
    f->u8(static_cast<std::uint8_t>(d.lane));
    for (const std::string_view text : {d.type, d.subject, d.time, d.exercise, d.correlation, d.origin_key})
      f.text(text);
    f->blob(as_bytes(d.data));
  }
}

Status LocalSubmit::decode(ByteView body, LocalSubmit& into) {
  ByteReader in(body);
  into.drafts.resize(count(in, 25));
  for (LocalDraft& d : into.drafts) {
    d.ticket = in.u64();
    d.lane = link::lane(in);
    for (std::string_view* text : {&d.type, &d.subject, &d.time, &d.exercise, &d.correlation, &d.origin_key})
      *text = in.short_text();
    d.data = as_text(in.blob());
  }
  if (in.done()) return {};
  into.drafts.clear();
  return bad("SUBMIT");
}

void LocalSettled::encode(Bytes& frame) const {
  Frame f(frame, LocalType::kSettled);
  f->u16(static_cast<std::uint16_t>(settled.size()));
  for (const One& one : settled) {
    f->u64(one.ticket);
    f->u8(static_cast<std::uint8_t>(one.answer));
    f->i32(static_cast<std::int32_t>(one.code));
    f->raw(one.id.bytes);
    f.text(one.reason);
  }
}

Status LocalSettled::decode(ByteView body, LocalSettled& into) {
  ByteReader in(body);
  into.settled.resize(count(in, 31));
  for (One& one : into.settled) {
    one.ticket = in.u64();
    one.answer = link::answer(in);
    one.code = static_cast<Code>(in.i32());
    one.id.bytes = in.array<16>();
    one.reason = in.short_text();
  }
  if (in.done()) return {};
  into.settled.clear();
  return bad("SETTLED");
}

void LocalLater::encode(Bytes& frame) const {
  Frame f(frame, LocalType::kLater);
  f->u16(static_cast<std::uint16_t>(refused.size()));
  for (const One& one : refused) {
    f->raw(one.id.bytes);
    f->i32(static_cast<std::int32_t>(one.code));
    f.text(one.origin_key);
    f.text(one.reason);
  }
}

Status LocalLater::decode(ByteView body, LocalLater& into) {
  ByteReader in(body);
  into.refused.resize(count(in, 24));
  for (One& one : into.refused) {
    one.id.bytes = in.array<16>();
    one.code = static_cast<Code>(in.i32());
    one.origin_key = in.short_text();
    one.reason = in.short_text();
  }
  if (in.done()) return {};
  into.refused.clear();
  return bad("LATER");
}

void LocalDeliver::encode(Bytes& frame) const {
  std::size_t bytes = 64;
  for (const One& one : records) bytes += 9 + one.record.size();
  frame.reserve(frame.size() + bytes);
  Frame f(frame, LocalType::kDeliver);
  f->u64(batch);
  f->u32(deadline_ms);
  f->u16(static_cast<std::uint16_t>(records.size()));
  for (const One& one : records) {
    f->u32(one.attempt);
    f->u8(one.flags);
    f->blob(one.record);
  }
}

Status LocalDeliver::decode(ByteView body, LocalDeliver& into) {
  ByteReader in(body);
  into.batch = in.u64();
  into.deadline_ms = in.u32();
  into.records.resize(count(in, 9));
  for (One& one : into.records) {
    one.attempt = in.u32();
    one.flags = in.u8();
    one.record = in.blob();
  }
  if (in.done()) return {};
  into.records.clear();
  return bad("DELIVER");
}

void LocalVerdicts::encode(Bytes& frame) const {
  Frame f(frame, LocalType::kVerdicts);
  f->u64(batch);
  f->u16(static_cast<std::uint16_t>(verdicts.size()));
  for (const One& one : verdicts) {
    f->u8(static_cast<std::uint8_t>(one.answer));
    f->i32(static_cast<std::int32_t>(one.code));
    f.text(one.reason);
  }
}

Status LocalVerdicts::decode(ByteView body, LocalVerdicts& into) {
  ByteReader in(body);
  into.batch = in.u64();
  into.verdicts.resize(count(in, 7));
  for (One& one : into.verdicts) {
    one.answer = link::answer(in);
    one.code = static_cast<Code>(in.i32());
    one.reason = in.short_text();
  }
  if (in.done()) return {};
  into.verdicts.clear();
  return bad("VERDICTS");
}

void LocalRequest::encode(Bytes& frame) const {
  Frame f(frame, LocalType::kRequest);
  f->u64(id);
  f->raw(as_bytes(json));
}

Result<LocalRequest> LocalRequest::decode(ByteView body) {
  ByteReader in(body);
  LocalRequest m;
  m.id = in.u64();
  m.json = as_text(in.raw(in.left()));
  if (!in.done()) return bad("REQUEST");
  return m;
}

void LocalReply::encode(Bytes& frame) const {
  Frame f(frame, LocalType::kReply);
  f->u64(id);
  f->u8(last ? 1 : 0);
  f->raw(as_bytes(json));
}

Result<LocalReply> LocalReply::decode(ByteView body) {
  ByteReader in(body);
  LocalReply m;
  m.id = in.u64();
  const std::uint8_t last = in.u8();
  if (last > 1) in.fail();
  m.last = last == 1;
  m.json = as_text(in.raw(in.left()));
  if (!in.done()) return bad("REPLY");
  return m;
}

void LocalLog::encode(Bytes& frame) const {
  Frame f(frame, LocalType::kLog);
  f->u8(level);
  f.text(text);
}

Result<LocalLog> LocalLog::decode(ByteView body) {
  ByteReader in(body);
  LocalLog m;
  m.level = in.u8();
  if (m.level < 1 || m.level > 4) in.fail();
  m.text = in.short_text();
  if (!in.done()) return bad("LOG");
  return m;
}

void LocalStop::encode(Bytes& frame) const {
  Frame f(frame, LocalType::kStop);
  f->u32(grace_ms);
}

Result<LocalStop> LocalStop::decode(ByteView body) {
  ByteReader in(body);
  LocalStop m;
  m.grace_ms = in.u32();
  if (!in.done()) return bad("STOP");
  return m;
}

}  // namespace thalweg::link
