// gate_shared.h: what both lanes of a gate read: constant after construction, or behind a mutex of its own.
#pragma once

#include <sys/types.h>

#include <boost/asio/thread_pool.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gate/gate_config.h"
#include "gate/gate_trust.h"
#include "gate/receipt_book.h"
#include "model/schema.h"
#include "trust/certificate.h"
#include "trust/keys.h"

namespace thalweg::gate {

/// Keys and papers of a gate, from its keys folder and the hub card.
struct GatePapers {
  trust::SigningKey signing;
  trust::CurveKeyPair curve;
  trust::HubCard card;
  std::optional<Hash256> identity;  ///< of the party, as the gate's own certificate says; without the file: not known

  /// Files: <keys>/signing.key, <keys>/curve.key, <keys>/gate.cert, the card as configured. Errors: kKeyUnreadable,
  /// kKeyPermissions, kCertificateInvalid (also one of other keys, or another gate's), kNotFound: the message names the
  /// file and the command that makes it.
  static Result<GatePapers> load(FileSystem& files, const GateConfig& config);
};

/// For tests and benchmarks.
struct GateTuning {
  std::int64_t sync_delay_ns = 0;
  std::uint64_t segment_bytes = 64u << 20;
};

struct GateShared {
  GateShared(FileSystem& f, const Clock& c, GateConfig g, SchemaSet s, GatePapers p)
      : files(f), clock(c), config(std::move(g)), schemas(std::move(s)), papers(std::move(p)) {}

  // Constant once the lanes are open.
  FileSystem& files;
  const Clock& clock;
  const GateConfig config;
  const SchemaSet schemas;
  const GatePapers papers;
  GateTuning tuning;
  std::string program = "thalweg-gate";
  Path runner;
  std::vector<uid_t> people;
  std::function<void()> on_stop_asked;         ///< any thread
  std::function<void(const Error&)> on_fatal;  ///< any thread

  // Each with its own lock.
  std::unique_ptr<GateTrust> trust;
  ReceiptBook receipts;
  boost::asio::thread_pool readers{1};  ///< for questions that read much of a log
};

}  // namespace thalweg::gate
