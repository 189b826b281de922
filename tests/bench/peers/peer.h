// peer.h: what a broker must be able to do to be measured: start, take batches and confirm them, hand them out.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bench/peers/server_process.h"

namespace thalweg::bench {

/// As Thalweg's own bench submits: frames of 256 records, 16 of them under way.
inline constexpr std::size_t kBatch = 256;
inline constexpr std::size_t kWindow = 16;

/// What is true of a record when its sender hears yes, in words and as flags.
struct Guarantee {
  std::string heard_yes;
  bool synced = false;
  std::string encrypted;  // by what; empty when not
  bool compressed = false;

  std::string words() const;
};

/// One connection that publishes to one queue. Threads: one at a time. Throws std::runtime_error when refused.
class Sender {
 public:
  virtual ~Sender() = default;
  /// Hands over a batch without waiting for its confirmation.
  virtual void send(std::span<const std::string> records) = 0;
  /// Waits until at most `open` records are unconfirmed.
  virtual void settle(std::size_t open) = 0;
};

/// One connection that receives from one queue and acknowledges. Threads: one at a time.
class Receiver {
 public:
  using Each = std::function<void(std::string_view record)>;

  virtual ~Receiver() = default;
  /// Waits for records at most `wait`, shows and acknowledges what came; returns how many.
  virtual std::size_t take(std::chrono::milliseconds wait, const Each& each) = 0;
};

/// Where a peer lives, and the certificate that server and clients share.
struct Site {
  Path folder;  ///< "data" and "log" are made below
  Path certificate, key;
  bool tls = true;
  int sync_delay_ms = 0;  ///< added to every sync that a server asks libc for
  Path slow_sync;         ///< the library that adds it
};

/// A broker as a server process of its own on loopback. A queue is a stream, a queue or a topic with one consumer that
/// is known to the server from declare() on, whether it is connected or not.
class Peer {
 public:
  explicit Peer(Site site);
  virtual ~Peer() = default;

  virtual std::string name() const = 0;   ///< as --peer takes it
  virtual std::string title() const = 0;  ///< with what matters of its configuration
  virtual Guarantee guarantee() const = 0;
  virtual const char* binary() const = 0;
  virtual const char* package() const = 0;  ///< of Debian

  virtual void declare(const std::string& queue) = 0;
  virtual std::unique_ptr<Sender> sender(const std::string& queue) = 0;
  virtual std::unique_ptr<Receiver> receiver(const std::string& queue) = 0;
  /// Records that the server says it holds for `queue`; asking may consume them.
  virtual std::uint64_t stored(const std::string& queue) = 0;
  /// Makes the server write what it keeps in memory only, where it can be asked to.
  virtual void write_out() {}

  bool installed() const { return !find_program(binary()).empty(); }
  /// Starts the server on what its folder holds; returns when the process runs. serve_*() wait until it answers.
  void start();
  /// Asks until `queue` can be declared. Throws when the server ends or 60 s have passed.
  void wait_until_declared(const std::string& queue);
  /// Asks until a record sent to `queue` is confirmed; 180 s.
  void wait_until_confirmed(const std::string& queue, const std::string& record);
  void kill();  ///< SIGKILL, and waits for the end
  void stop();  ///< SIGTERM, SIGKILL after 20 s

  std::uint16_t port() const { return port_; }
  const ServerProcess& server() const { return server_; }
  Path data() const { return site_.folder / "data"; }

 protected:
  /// Writes the configuration files and says how the server is started. Called at every start.
  virtual ServerCommand command() = 0;

  const Site& site() const { return site_; }
  bool tls() const { return site_.tls; }
  const char* encryption() const { return site_.tls ? "TLS" : ""; }

 private:
  void retry(std::chrono::seconds limit, const std::function<void()>& ask);

  Site site_;
  std::uint16_t port_;
  ServerProcess server_;
};

/// All peers in the order of the table.
struct PeerKind {
  const char* name;
  std::unique_ptr<Peer> (*make)(Site site);
};
std::span<const PeerKind> peer_kinds();

std::unique_ptr<Peer> make_jetstream(Site site);
std::unique_ptr<Peer> make_redis(Site site);
std::unique_ptr<Peer> make_rabbitmq_classic(Site site);
std::unique_ptr<Peer> make_rabbitmq_quorum(Site site);
std::unique_ptr<Peer> make_mosquitto(Site site);

}  // namespace thalweg::bench
