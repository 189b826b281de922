// message.h: the messages of the link between gate and hub, and their bytes. Tables and examples: docs/formats/link.md.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/hash.h"
#include "model/ids.h"
#include "model/lane.h"

namespace thalweg::link {

inline constexpr std::uint16_t kLinkVersion = 1;
/// Payload of one CHUNK. Larger ones would let a slow line look dead while one frame crosses it (rule 14).
inline constexpr std::size_t kMaxChunkBytes = 64 * 1024;
/// What a parcel may have on the link. A little above the model's limit, which the hub judges and answers for.
inline constexpr std::size_t kMaxParcelTransferBytes = (4u << 20) + (64u << 10);
/// What a delivery may have: a part of a parcel carries Merkle paths beside its records.
inline constexpr std::size_t kMaxDeliveryTransferBytes = 8u << 20;
/// Largest message each way (ZMQ_MAXMSGSIZE adds what CURVE adds).
inline constexpr std::size_t kMaxToHubBytes = kMaxChunkBytes + 1024;
inline constexpr std::size_t kMaxToGateBytes = 6u << 20;
inline constexpr std::size_t kMaxDocumentBytes = 1u << 20;
inline constexpr std::size_t kMaxVerdictBytes = (4u << 20) + (512u << 10);  ///< 4,096 records, 1,000 bytes on each
inline constexpr std::size_t kMaxDecisionBytes = 1u << 20;
inline constexpr std::size_t kMaxCheckpointBytes = 4096;
inline constexpr std::size_t kMaxSignatureBytes = 256;
inline constexpr std::size_t kMaxTextBytes = 512;
inline constexpr std::size_t kMaxProgressEntries = 4096;
inline constexpr std::size_t kMaxLookups = 1024;

/// Second byte of every message. Numbers are on the wire: never reused.
enum class MessageType : std::uint8_t {
  kHello = 1,
  kWelcome = 2,
  kRefuse = 3,
  kChunk = 4,
  kAck = 5,
  kCredit = 6,
  kSettle = 7,
  kProgress = 8,
  kLookup = 9,
  kFound = 10,
  kDocument = 11,
  kPing = 12,
  kPong = 13,
  kBye = 14,
};
inline constexpr std::uint8_t kLastMessageType = 14;
std::string_view name(MessageType type);

/// Reads the four bytes every message starts with: 'W', type, two zero bytes. Errors: kLinkFrame.
Result<MessageType> message_type(ByteView message);

/// How much of a transfer the receiver holds from an earlier session; offset 0 when nothing. The sender goes on there
/// if the CRC-32C of its own first `offset` bytes is the same, else from the start.
struct Partial {
  std::uint64_t number = 0;
  std::uint32_t offset = 0;
  std::uint32_t crc = 0;
  bool operator==(const Partial&) const = default;
};

/// gate -> hub, first message of a session: who is here, and what both sides may compare (rule 8).
struct Hello {
  std::uint16_t version = kLinkVersion;
  std::array<std::uint8_t, 16> session{};  ///< random; WELCOME repeats it
  std::string party, gate;
  Lane lane = Lane::kRoutine;
  Uuid incarnation;
  Hash256 ledger_id{};               ///< zero: knows no hub yet
  std::uint64_t outbox_head = 0;     ///< highest parcel number of this stream; 0 for none
  Hash256 outbox_root{};             ///< Merkle root of that parcel
  std::uint64_t lowest_held = 0;     ///< lowest number still in the outbox, acknowledged or not
  std::uint64_t inbox_epoch = 0;     ///< ledger epoch of the last delivery
  std::uint64_t inbox_sequence = 0;  ///< last delivery that is in the inbox
  bool inbox_fresh = false;          ///< the inbox was set up anew: the hub decides where to start
  std::uint64_t checkpoint_block = 0;
  Hash256 checkpoint_hash{};
  std::int64_t wall_unix_ns = 0;
  std::uint64_t credit_bytes = 0;  ///< deliveries the hub may send at once (link fills it in)
  Partial partial;                 ///< of a delivery (link fills it in)
  std::string program;             ///< name and version, for status pages

  void encode(Bytes& out) const;
  /// Errors: kLinkVersion for another version (nothing behind it is read), kLinkFrame.
  static Result<Hello> decode(ByteView message);
};

/// How far a receiver party has got with one stream of this gate.
struct Progress {
  std::string receiver;
  std::uint64_t in_inbox = 0;  ///< all parcels up to this number are in the receiver's inbox
  std::uint64_t taken = 0;     ///< ... and were taken by its adapters
  bool operator==(const Progress&) const = default;

  void encode(Bytes& out) const;
  static Result<Progress> decode(ByteView message);
};

/// hub -> gate, answer to HELLO: the session is open.
struct Welcome {
  std::array<std::uint8_t, 16> session{};  ///< link fills it in, as the five marked below
  Hash256 ledger_id{};
  std::uint64_t epoch = 0;
  std::uint64_t accepted_head = 0;  ///< highest number of this stream in the ledger; 0 for none
  Hash256 accepted_root{};
  std::uint64_t next_sequence = 0;  ///< first delivery that will come
  std::uint64_t credit_bytes = 0;   ///< link
  std::uint32_t heartbeat_ms = 0;   ///< link
  std::int64_t wall_unix_ns = 0;    ///< link
  std::uint64_t region_version = 0;
  Partial partial;   ///< of a parcel: link
  Bytes checkpoint;  ///< signed, trust/checkpoint.h
  std::vector<Progress> progress;

  void encode(Bytes& out) const;
  static Result<Welcome> decode(ByteView message);
};

/// hub -> gate, answer to HELLO: no session. The connection is closed behind it.
struct Refuse {
  Code code = Code::kInternal;
  std::uint32_t retry_ms = 0;  ///< not before; 0 leaves it to the gate
  std::string text;

  void encode(Bytes& out) const;
  static Result<Refuse> decode(ByteView message);
};

enum class Transfer : std::uint8_t { kParcel = 1, kDelivery = 2 };

/// Both ways: a piece of a parcel (to the hub) or of a delivery (to the gate). `bytes` points into the message.
struct Chunk {
  Transfer kind = Transfer::kParcel;
  std::uint64_t number = 0;  ///< parcel number or delivery sequence
  std::uint32_t total = 0;   ///< bytes of the whole
  std::uint32_t offset = 0;
  std::uint32_t backlog = 0;  ///< bytes that wait behind this transfer: a wish for credit, capped at 4 GiB - 1
  ByteView bytes;

  static constexpr std::size_t kHeaderBytes = 25;
  /// Writes the header only; the payload follows it in the same message.
  void encode_header(std::span<std::uint8_t, kHeaderBytes> out) const;
  void encode(Bytes& out) const;
  /// Refuses an empty payload, more than kMaxChunkBytes, and one that reaches beyond `total`.
  static Result<Chunk> decode(ByteView message);
};

/// hub -> gate: what became of a parcel. With a code other than kOk see the table of faults in link.md.
struct Ack {
  std::uint64_t number = 0;
  std::uint64_t block = 0;  ///< place in the ledger: block and entry
  std::uint32_t entry = 0;
  std::int64_t block_unix_ns = 0;
  Code code = Code::kOk;
  std::string text;
  Bytes verdicts;  ///< model/verdict.h
  Bytes decision;  ///< model/decision.h

  void encode(Bytes& out) const;
  static Result<Ack> decode(ByteView message);
};

/// Both ways: payload bytes of CHUNKs that the other side may have sent since the session began, in all.
struct Credit {
  std::uint64_t limit_bytes = 0;

  void encode(Bytes& out) const;
  static Result<Credit> decode(ByteView message);
};

/// gate -> hub: deliveries up to `sequence` are durable in the inbox, those up to `taken` answered by adapters.
struct Settle {
  std::uint64_t epoch = 0;
  std::uint64_t sequence = 0;
  std::uint64_t taken = 0;
  std::uint32_t dead = 0;  ///< dead letters among them, in all
  Hash256 root{};          ///< over what was settled; hub and gate compute it alike
  std::uint8_t algorithm = 0;
  Bytes signature;

  void encode(Bytes& out) const;
  static Result<Settle> decode(ByteView message);
};

/// gate -> hub: does the ledger hold these records, and these numbers of the session's stream (rule 8)?
struct Lookup {
  std::uint64_t request = 0;
  std::vector<Uuid> records;
  std::vector<std::uint64_t> numbers;

  void encode(Bytes& out) const;
  static Result<Lookup> decode(ByteView message);
};

/// hub -> gate: the answer, one element for each asked, in the order asked.
struct Found {
  struct Place {
    bool known = false;
    std::uint64_t block = 0;
    Hash256 root{};  ///< of a parcel; zero for records
    bool operator==(const Place&) const = default;
  };
  std::uint64_t request = 0;
  std::vector<Place> records;
  std::vector<Place> numbers;

  void encode(Bytes& out) const;
  static Result<Found> decode(ByteView message);
};

/// hub -> gate: signed papers that concern the gate.
struct Document {
  enum class Kind : std::uint8_t { kRegion = 1, kCertificate = 2, kRevocation = 3, kCheckpoint = 4, kHubCard = 5 };
  Kind kind = Kind::kRegion;
  Bytes bytes;

  void encode(Bytes& out) const;
  static Result<Document> decode(ByteView message);
};

/// Both ways: is the line alive, and how do the clocks differ.
struct Ping {
  std::uint64_t count = 0;
  std::int64_t sent_unix_ns = 0;

  void encode(Bytes& out) const;
  static Result<Ping> decode(ByteView message);
};

/// The answer: what PING held, and when it came and the answer left, by the answering side's clock.
struct Pong {
  std::uint64_t count = 0;
  std::int64_t sent_unix_ns = 0;
  std::int64_t received_unix_ns = 0;
  std::int64_t answered_unix_ns = 0;

  void encode(Bytes& out) const;
  static Result<Pong> decode(ByteView message);
};

/// Both ways, last message of a session: why it ends. The connection is closed behind it.
struct Bye {
  Code code = Code::kClosed;
  std::string text;

  void encode(Bytes& out) const;
  static Result<Bye> decode(ByteView message);
};

}  // namespace thalweg::link
