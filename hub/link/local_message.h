// local_message.h: what runners, people's tools and gate or hub say to each other over a local socket.
//
// A frame is u32 size of the rest, u8 type, body; little-endian. Decoded texts and bytes point into the frame.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "model/ids.h"
#include "model/lane.h"

namespace thalweg::link {

inline constexpr std::uint16_t kLocalVersion = 1;
inline constexpr std::size_t kMaxLocalFrameBytes = 8u << 20;
inline constexpr std::size_t kMaxLocalItems = 4096;

enum class LocalType : std::uint8_t {
  kHello = 1,
  kSubmit = 2,
  kSettled = 3,
  kLater = 4,
  kDeliver = 5,
  kVerdicts = 6,
  kRequest = 7,
  kReply = 8,
  kLog = 9,
  kStop = 10,
};

enum class LocalRole : std::uint8_t { kRunner = 1, kPerson = 2, kAdmin = 3 };

/// Numbers as in the plugin ABI.
enum class Answer : std::uint8_t { kRetry = 0, kAccepted = 1, kRejected = 2 };

/// First frame of the side that connects.
struct LocalHello {
  std::uint16_t version = kLocalVersion;
  LocalRole role = LocalRole::kPerson;
  Lane lane = Lane::kRoutine;
  std::string_view instance;  ///< adapter instance; of a person: empty (the socket says who it is)
  std::string_view token;     ///< one-time, from the gate; runners only

  void encode(Bytes& frame) const;
  static Result<LocalHello> decode(ByteView body);
};

/// A record before it is one.
struct LocalDraft {
  std::uint64_t ticket = 0;
  Lane lane = Lane::kRoutine;
  std::string_view type, subject, time, exercise, correlation, origin_key;
  std::string_view data;  ///< JSON
};

/// runner or person -> gate. All `drafts` are answered by SETTLED, in any grouping.
struct LocalSubmit {
  std::vector<LocalDraft> drafts;

  void encode(Bytes& frame) const;
  /// `into` keeps its memory from call to call.
  static Status decode(ByteView body, LocalSubmit& into);
};

/// gate -> submitter.
struct LocalSettled {
  struct One {
    std::uint64_t ticket = 0;
    Answer answer = Answer::kRetry;
    Code code = Code::kOk;
    RecordId id;
    std::string_view reason;
  };
  std::vector<One> settled;

  void encode(Bytes& frame) const;
  static Status decode(ByteView body, LocalSettled& into);
};

/// gate -> runner: refusals that came after ACCEPTED, by the hub.
struct LocalLater {
  struct One {
    RecordId id;
    Code code = Code::kOk;
    std::string_view origin_key;
    std::string_view reason;
  };
  std::vector<One> refused;

  void encode(Bytes& frame) const;
  static Status decode(ByteView body, LocalLater& into);
};

/// gate -> runner: a batch for a sink.
struct LocalDeliver {
  static constexpr std::uint8_t kReplay = 1;  ///< a person asked for it again

  struct One {
    std::uint32_t attempt = 1;
    std::uint8_t flags = 0;
    ByteView record;  ///< whole, as signed
  };
  std::uint64_t batch = 0;
  std::uint32_t deadline_ms = 0;
  std::vector<One> records;

  void encode(Bytes& frame) const;
  static Status decode(ByteView body, LocalDeliver& into);
};

/// runner -> gate: one verdict for each record of the batch, in its order.
struct LocalVerdicts {
  struct One {
    Answer answer = Answer::kRetry;
    Code code = Code::kOk;
    std::string_view reason;
  };
  std::uint64_t batch = 0;
  std::vector<One> verdicts;

  void encode(Bytes& frame) const;
  static Status decode(ByteView body, LocalVerdicts& into);
};

/// person -> gate or hub: a question as JSON; `id` comes back in every REPLY.
struct LocalRequest {
  std::uint64_t id = 0;
  std::string_view json;

  void encode(Bytes& frame) const;
  static Result<LocalRequest> decode(ByteView body);
};

/// One or more, the last marked: `tail` never sends a last one.
struct LocalReply {
  std::uint64_t id = 0;
  bool last = true;
  std::string_view json;

  void encode(Bytes& frame) const;
  static Result<LocalReply> decode(ByteView body);
};

/// runner -> gate.
struct LocalLog {
  std::uint8_t level = 2;  ///< 1 debug, 2 info, 3 warning, 4 error
  std::string_view text;

  void encode(Bytes& frame) const;
  static Result<LocalLog> decode(ByteView body);
};

/// gate -> runner: end soon. Verdicts and drafts under way are still taken for `grace_ms`.
struct LocalStop {
  std::uint32_t grace_ms = 0;

  void encode(Bytes& frame) const;
  static Result<LocalStop> decode(ByteView body);
};

}  // namespace thalweg::link
