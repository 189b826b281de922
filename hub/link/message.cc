#include "link/message.h"

#include <algorithm>

#include "base/invariant.h"

namespace thalweg::link {
namespace {

constexpr std::uint8_t kMark = 'W';

/// Writes the fields that fields() names.
class Out {
 public:
  Out(Bytes& out, MessageType type) : w_(out) {
    w_.u8(kMark);
    w_.u8(static_cast<std::uint8_t>(type));
    w_.u16(0);
  }
  void flag(bool v) { w_.u8(v ? 1 : 0); }
  void integer(std::uint8_t v) { w_.u8(v); }
  void integer(std::uint16_t v) { w_.u16(v); }
  void integer(std::uint32_t v) { w_.u32(v); }
  void integer(std::uint64_t v) { w_.u64(v); }
  void integer(std::int64_t v) { w_.i64(v); }
  void code(Code v) { w_.i32(static_cast<std::int32_t>(v)); }
  void lane(Lane v) { w_.u8(static_cast<std::uint8_t>(v)); }
  template <std::size_t N>
  void array(const std::array<std::uint8_t, N>& v) {
    w_.raw(v);
  }
  void text(const std::string& v, std::size_t most) {
    std::size_t size = std::min(v.size(), most);
    // A text for people that is cut is cut between characters, so that it stays UTF-8.
    while (size < v.size() && size > 0 && (static_cast<unsigned char>(v[size]) & 0xc0) == 0x80) --size;
    w_.short_text(std::string_view(v).substr(0, size));
  }
  void blob(const Bytes& v, std::size_t most) {
    THALWEG_INVARIANT(v.size() <= most);
    w_.blob(v);
  }
  void rest(const Bytes& v, std::size_t most) {
    THALWEG_INVARIANT(v.size() <= most);
    w_.raw(v);
  }
  template <class T, class Each>
  void list(const std::vector<T>& v, std::size_t most, std::size_t, Each each) {
    THALWEG_INVARIANT(v.size() <= most);
    w_.u16(static_cast<std::uint16_t>(v.size()));
    for (const T& one : v) each(*this, one);
  }

 private:
  ByteWriter w_;
};

/// Reads them; the bytes may be hostile.
class In {
 public:
  In(ByteView message, MessageType type) : r_(message) {
    if (r_.u8() != kMark || r_.u8() != static_cast<std::uint8_t>(type) || r_.u16() != 0) r_.fail();
  }
  void flag(bool& v) {
    const std::uint8_t byte = r_.u8();
    if (byte > 1) r_.fail();
    v = byte == 1;
  }
  void integer(std::uint8_t& v) { v = r_.u8(); }
  void integer(std::uint16_t& v) { v = r_.u16(); }
  void integer(std::uint32_t& v) { v = r_.u32(); }
  void integer(std::uint64_t& v) { v = r_.u64(); }
  void integer(std::int64_t& v) { v = r_.i64(); }
  void code(Code& v) { v = static_cast<Code>(r_.i32()); }
  void lane(Lane& v) {
    const std::uint8_t byte = r_.u8();
    if (byte > 1) r_.fail();
    v = byte == 1 ? Lane::kUrgent : Lane::kRoutine;
  }
  template <std::size_t N>
  void array(std::array<std::uint8_t, N>& v) {
    v = r_.array<N>();
  }
  void text(std::string& v, std::size_t most) {
    const std::string_view read = r_.short_text();
    if (read.size() > most) r_.fail();
    if (r_.ok()) v = read;
  }
  void blob(Bytes& v, std::size_t most) { take(v, r_.blob(), most); }
  void rest(Bytes& v, std::size_t most) { take(v, r_.raw(r_.left()), most); }
  /// `least` is what one element takes at least: a count that the bytes cannot hold reserves no memory.
  template <class T, class Each>
  void list(std::vector<T>& v, std::size_t most, std::size_t least, Each each) {
    const std::size_t count = r_.u16();
    if (count > most || count * least > r_.left()) r_.fail();
    if (!r_.ok()) return;
    v.resize(count);
    for (T& one : v) {
      each(*this, one);
      if (!r_.ok()) return;
    }
  }
  ByteReader& reader() { return r_; }

 private:
  void take(Bytes& v, ByteView read, std::size_t most) {
    if (read.size() > most) r_.fail();
    if (r_.ok()) v.assign(read.begin(), read.end());
  }
  ByteReader r_;
};

// The fields of each message, once for writing and reading: M is const for writing.

template <class Io, class M>
void partial(Io& io, M& m) {
  io.integer(m.number);
  io.integer(m.offset);
  io.integer(m.crc);
}

template <class Io, class M>
void progress(Io& io, M& m) {
  io.text(m.receiver, 64);
  io.integer(m.in_inbox);
  io.integer(m.taken);
}

template <class Io, class M>
void hello(Io& io, M& m) {
  io.array(m.session);
  io.text(m.party, 64);
  io.text(m.gate, 64);
  io.lane(m.lane);
  io.array(m.incarnation.bytes);
  io.array(m.ledger_id);
  io.integer(m.outbox_head);
  io.array(m.outbox_root);
  io.integer(m.lowest_held);
  io.integer(m.inbox_epoch);
  io.integer(m.inbox_sequence);
  io.flag(m.inbox_fresh);
  io.integer(m.checkpoint_block);
  io.array(m.checkpoint_hash);
  io.integer(m.wall_unix_ns);
  io.integer(m.credit_bytes);
  partial(io, m.partial);
  io.text(m.program, 64);
}

template <class Io, class M>
void welcome(Io& io, M& m) {
  io.array(m.session);
  io.array(m.ledger_id);
  io.integer(m.epoch);
  io.integer(m.accepted_head);
  io.array(m.accepted_root);
  io.integer(m.next_sequence);
  io.integer(m.credit_bytes);
  io.integer(m.heartbeat_ms);
  io.integer(m.wall_unix_ns);
  io.integer(m.region_version);
  partial(io, m.partial);
  io.blob(m.checkpoint, kMaxCheckpointBytes);
  io.list(m.progress, kMaxProgressEntries, 18, [](auto& each, auto& one) { progress(each, one); });
}

template <class Io, class M>
void refuse(Io& io, M& m) {
  io.code(m.code);
  io.integer(m.retry_ms);
  io.text(m.text, kMaxTextBytes);
}

template <class Io, class M>
void ack(Io& io, M& m) {
  io.integer(m.number);
  io.integer(m.block);
  io.integer(m.entry);
  io.integer(m.block_unix_ns);
  io.code(m.code);
  io.text(m.text, kMaxTextBytes);
  io.blob(m.verdicts, kMaxVerdictBytes);
  io.blob(m.decision, kMaxDecisionBytes);
}

template <class Io, class M>
void settle(Io& io, M& m) {
  io.integer(m.epoch);
  io.integer(m.sequence);
  io.integer(m.taken);
  io.integer(m.dead);
  io.array(m.root);
  io.integer(m.algorithm);
  io.blob(m.signature, kMaxSignatureBytes);
}

template <class Io, class M>
void lookup(Io& io, M& m) {
  io.integer(m.request);
  io.list(m.records, kMaxLookups, 16, [](auto& each, auto& one) { each.array(one.bytes); });
  io.list(m.numbers, kMaxLookups, 8, [](auto& each, auto& one) { each.integer(one); });
}

template <class Io, class M>
void found(Io& io, M& m) {
  io.integer(m.request);
  for (auto* places : {&m.records, &m.numbers})
    io.list(*places, kMaxLookups, 41, [](auto& each, auto& one) {
      each.flag(one.known);
      each.integer(one.block);
      each.array(one.root);
    });
}

template <class Io, class M>
void pong(Io& io, M& m) {
  io.integer(m.count);
  io.integer(m.sent_unix_ns);
  io.integer(m.received_unix_ns);
  io.integer(m.answered_unix_ns);
}

template <class Io, class M>
void bye(Io& io, M& m) {
  io.code(m.code);
  io.text(m.text, kMaxTextBytes);
}

Error bad(MessageType type) {
  return {Code::kLinkFrame, std::string(name(type)) + " is cut short, too long or holds a value it may not have"};
}

template <class M, class Fields>
Result<M> read(MessageType type, ByteView message, Fields fields) {
  In in(message, type);
  M m;
  fields(in, m);
  if (!in.reader().done()) return bad(type);
  return m;
}

}  // namespace

std::string_view name(MessageType type) {
  static constexpr std::string_view kNames[] = {"?",     "HELLO",    "WELCOME", "REFUSE",   "CHUNK",
                                                "ACK",   "CREDIT",   "SETTLE",  "PROGRESS", "LOOKUP",
                                                "FOUND", "DOCUMENT", "PING",    "PONG",     "BYE"};
  const auto i = static_cast<std::size_t>(type);
  return kNames[i <= kLastMessageType ? i : 0];
}

Result<MessageType> message_type(ByteView message) {
  ByteReader in(message);
  const std::uint8_t mark = in.u8(), type = in.u8();
  const std::uint16_t zero = in.u16();
  if (!in.ok() || mark != kMark || zero != 0 || type == 0 || type > kLastMessageType)
    return Error{Code::kLinkFrame, "not a message of the link"};
  return static_cast<MessageType>(type);
}

void Hello::encode(Bytes& out) const {
  Out io(out, MessageType::kHello);
  io.integer(version);
  hello(io, *this);
}

Result<Hello> Hello::decode(ByteView message) {
  In in(message, MessageType::kHello);
  Hello m;
  in.integer(m.version);
  if (in.reader().ok() && m.version != kLinkVersion)
    return Error{Code::kLinkVersion, "the gate speaks version " + std::to_string(m.version) + " of the link, the hub " +
                                         std::to_string(kLinkVersion)};
  hello(in, m);
  if (!in.reader().done() || !valid_code(m.party) || !valid_code(m.gate)) return bad(MessageType::kHello);
  return m;
}

void Welcome::encode(Bytes& out) const {
  Out io(out, MessageType::kWelcome);
  welcome(io, *this);
}
Result<Welcome> Welcome::decode(ByteView message) {
  return read<Welcome>(MessageType::kWelcome, message, [](auto& io, auto& m) { welcome(io, m); });
}

void Refuse::encode(Bytes& out) const {
  Out io(out, MessageType::kRefuse);
  refuse(io, *this);
}
Result<Refuse> Refuse::decode(ByteView message) {
  return read<Refuse>(MessageType::kRefuse, message, [](auto& io, auto& m) { refuse(io, m); });
}

void Chunk::encode_header(std::span<std::uint8_t, kHeaderBytes> out) const {
  std::uint8_t* at = out.data();
  const auto put = [&at](const auto& v) {
    std::memcpy(at, &v, sizeof v);
    at += sizeof v;
  };
  put(kMark);
  put(MessageType::kChunk);
  put(std::uint16_t{0});
  put(kind);
  put(number);
  put(total);
  put(offset);
  put(backlog);
}

void Chunk::encode(Bytes& out) const {
  std::array<std::uint8_t, kHeaderBytes> header;
  encode_header(header);
  out.insert(out.end(), header.begin(), header.end());
  out.insert(out.end(), bytes.begin(), bytes.end());
}

Result<Chunk> Chunk::decode(ByteView message) {
  In in(message, MessageType::kChunk);
  Chunk c;
  std::uint8_t kind = 0;
  in.integer(kind);
  in.integer(c.number);
  in.integer(c.total);
  in.integer(c.offset);
  in.integer(c.backlog);
  c.bytes = in.reader().raw(in.reader().left());
  const bool known =
      kind == static_cast<std::uint8_t>(Transfer::kParcel) || kind == static_cast<std::uint8_t>(Transfer::kDelivery);
  if (!in.reader().ok() || !known || c.bytes.empty() || c.bytes.size() > kMaxChunkBytes || c.offset > c.total ||
      c.bytes.size() > c.total - c.offset)
    return bad(MessageType::kChunk);
  c.kind = static_cast<Transfer>(kind);
  return c;
}

void Ack::encode(Bytes& out) const {
  Out io(out, MessageType::kAck);
  ack(io, *this);
}
Result<Ack> Ack::decode(ByteView message) {
  return read<Ack>(MessageType::kAck, message, [](auto& io, auto& m) { ack(io, m); });
}

void Credit::encode(Bytes& out) const { Out(out, MessageType::kCredit).integer(limit_bytes); }
Result<Credit> Credit::decode(ByteView message) {
  return read<Credit>(MessageType::kCredit, message, [](auto& io, auto& m) { io.integer(m.limit_bytes); });
}

void Settle::encode(Bytes& out) const {
  Out io(out, MessageType::kSettle);
  settle(io, *this);
}
Result<Settle> Settle::decode(ByteView message) {
  return read<Settle>(MessageType::kSettle, message, [](auto& io, auto& m) { settle(io, m); });
}

void Progress::encode(Bytes& out) const {
  Out io(out, MessageType::kProgress);
  link::progress(io, *this);
}
Result<Progress> Progress::decode(ByteView message) {
  return read<Progress>(MessageType::kProgress, message, [](auto& io, auto& m) { link::progress(io, m); });
}

void Lookup::encode(Bytes& out) const {
  Out io(out, MessageType::kLookup);
  lookup(io, *this);
}
Result<Lookup> Lookup::decode(ByteView message) {
  return read<Lookup>(MessageType::kLookup, message, [](auto& io, auto& m) { lookup(io, m); });
}

void Found::encode(Bytes& out) const {
  Out io(out, MessageType::kFound);
  found(io, *this);
}
Result<Found> Found::decode(ByteView message) {
  return read<Found>(MessageType::kFound, message, [](auto& io, auto& m) { found(io, m); });
}

void Document::encode(Bytes& out) const {
  Out io(out, MessageType::kDocument);
  io.integer(static_cast<std::uint8_t>(kind));
  io.rest(bytes, kMaxDocumentBytes);
}
Result<Document> Document::decode(ByteView message) {
  return read<Document>(MessageType::kDocument, message, [](auto& io, auto& m) {
    std::uint8_t kind = 0;
    io.integer(kind);
    if (kind == 0 || kind > static_cast<std::uint8_t>(Document::Kind::kHubCard)) io.reader().fail();
    m.kind = static_cast<Document::Kind>(kind);
    io.rest(m.bytes, kMaxDocumentBytes);
  });
}

void Ping::encode(Bytes& out) const {
  Out io(out, MessageType::kPing);
  io.integer(count);
  io.integer(sent_unix_ns);
}
Result<Ping> Ping::decode(ByteView message) {
  return read<Ping>(MessageType::kPing, message, [](auto& io, auto& m) {
    io.integer(m.count);
    io.integer(m.sent_unix_ns);
  });
}

void Pong::encode(Bytes& out) const {
  Out io(out, MessageType::kPong);
  pong(io, *this);
}
Result<Pong> Pong::decode(ByteView message) {
  return read<Pong>(MessageType::kPong, message, [](auto& io, auto& m) { pong(io, m); });
}

void Bye::encode(Bytes& out) const {
  Out io(out, MessageType::kBye);
  bye(io, *this);
}
Result<Bye> Bye::decode(ByteView message) {
  return read<Bye>(MessageType::kBye, message, [](auto& io, auto& m) { bye(io, m); });
}

}  // namespace thalweg::link
