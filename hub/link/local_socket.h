// local_socket.h: frames over a Unix-domain socket: server and client on a loop, and a blocking client for tools.
#pragma once

#include <sys/types.h>

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "link/local_message.h"

namespace thalweg::link {

/// Who is at the other end, as the kernel says (SO_PEERCRED).
struct PeerCredentials {
  uid_t uid = 0;
  gid_t gid = 0;
  pid_t pid = 0;
};

struct LocalOptions {
  std::size_t max_frame_bytes = kMaxLocalFrameBytes;
  std::size_t write_queue_bytes = 16u << 20;  ///< send() says no while more than this waits
  std::size_t max_connections = 256;
};

/// One end of a connection. Lives as long as someone holds it; closed by close() or by the other side.
///
/// Threads: the loop.
class LocalConnection {
 public:
  virtual ~LocalConnection() = default;
  /// Queues a frame made by an encode() of local_message.h. Moved, not copied.
  /// False: the queue is full (on_drained follows) or the connection is closed; nothing was taken.
  virtual bool send(Bytes frame) = 0;
  /// No further frames are read until resume_reading(); the other side soon finds its queue full. A frame that is
  /// being handed over is the last one.
  virtual void pause_reading() = 0;
  virtual void resume_reading() = 0;
  virtual std::size_t queued_bytes() const = 0;
  virtual const PeerCredentials& peer() const = 0;
  /// Ends it after what is queued was written; on_closed follows. Twice does no harm.
  virtual void close() = 0;
};
using LocalConnectionRef = std::shared_ptr<LocalConnection>;

struct LocalEvents {
  /// Server: somebody connected. Client: connected.
  std::function<void(const LocalConnectionRef&)> on_open;
  /// `body` is what follows the type; it and what is decoded from it are valid during the call only.
  std::function<void(const LocalConnectionRef&, LocalType type, ByteView body)> on_frame;
  /// send() said no and would now say yes.
  std::function<void(const LocalConnectionRef&)> on_drained;
  /// Ended, by either side; kOk for a plain end, kLinkFrame for a bad frame. Client that never connected: kUnavailable
  /// with a null reference.
  std::function<void(const LocalConnectionRef&, Code)> on_closed;
};

/// Listens on a path. Threads: the loop.
class LocalServer {
 public:
  /// `mode` is the file's (0600, 0660). A socket file that nobody answers at is replaced; one that somebody answers at
  /// is not. Errors: kExists (somebody serves there), kDenied, kIo, kInvalid (path too long for a socket, over 107
  /// bytes).
  static Result<std::unique_ptr<LocalServer>> listen(boost::asio::io_context& io, const std::filesystem::path& path,
                                                     mode_t mode, LocalOptions options, LocalEvents events);
  /// Closes all connections and removes the file. No event is called any more.
  ~LocalServer();
  std::size_t connections() const;

 private:
  struct Impl;
  explicit LocalServer(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

/// Connects to a path. on_open or on_closed follows. Threads: the loop.
class LocalClient {
 public:
  static std::unique_ptr<LocalClient> connect(boost::asio::io_context& io, const std::filesystem::path& path,
                                              LocalOptions options, LocalEvents events);
  /// Closes the connection. No event is called any more.
  ~LocalClient();

 private:
  struct Impl;
  explicit LocalClient(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

/// For command lines: connect, ask, wait. Threads: one at a time.
class BlockingLocalClient {
 public:
  /// Connects and sends HELLO. Errors: kNotFound (no such socket: the program does not run), kDenied, kUnavailable.
  static Result<BlockingLocalClient> connect(const std::filesystem::path& path, LocalRole role = LocalRole::kPerson,
                                             std::chrono::milliseconds timeout = std::chrono::seconds(30));
  BlockingLocalClient(BlockingLocalClient&& other) noexcept;
  BlockingLocalClient& operator=(BlockingLocalClient&& other) noexcept;
  ~BlockingLocalClient();

  struct Frame {
    LocalType type = LocalType::kReply;
    Bytes body;
  };
  Status send(const Bytes& frame);
  /// Waits for the next frame, whatever it is. Errors: kTimeout, kClosed, kLinkFrame.
  Result<Frame> next(std::chrono::milliseconds timeout);
  /// One question, one answer (JSON both). Frames of other kinds in between are an error: kLinkFrame.
  Result<std::string> request(std::string_view json);
  /// One question, answers handed over until the last one, or until `take` returns false. Waits for ever between two.
  Status stream(std::string_view json, const std::function<bool(std::string_view json)>& take);
  /// For poll(2).
  int fd() const { return fd_; }

 private:
  BlockingLocalClient(int fd, std::chrono::milliseconds timeout) : fd_(fd), timeout_(timeout) {}
  int fd_ = -1;
  std::chrono::milliseconds timeout_;
  std::uint64_t next_id_ = 1;
};

}  // namespace thalweg::link
