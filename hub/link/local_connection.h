// local_connection.h: one end of a local connection on a loop. Private to link.
#pragma once

#include <boost/asio/local/stream_protocol.hpp>
#include <deque>
#include <vector>

#include "link/local_socket.h"

namespace thalweg::link {

/// Frames in, frames out; keeps itself alive while an operation is under way.
class LocalConnectionImpl final : public LocalConnection, public std::enable_shared_from_this<LocalConnectionImpl> {
 public:
  using Socket = boost::asio::local::stream_protocol::socket;

  LocalConnectionImpl(Socket socket, const LocalOptions& options, const LocalEvents& events);

  /// Reads the peer's credentials and begins; on_open is called first.
  void start();
  /// Ends it without a word to anybody.
  void abandon();
  /// Called once, when it has ended, beside on_closed.
  std::function<void()> on_gone;

  bool send(Bytes frame) override;
  void pause_reading() override { paused_ = true; }
  void resume_reading() override;
  std::size_t queued_bytes() const override { return queued_bytes_; }
  const PeerCredentials& peer() const override { return peer_; }
  void close() override;

 private:
  void read();
  /// Hands over the whole frames that are there. False: it has ended.
  bool hand_over();
  void write();
  void end(Code code);

  Socket socket_;
  const LocalOptions options_;
  LocalEvents events_;
  PeerCredentials peer_;

  Bytes in_;               // grows to the largest frame seen
  std::size_t begin_ = 0;  // of what is not handed over
  std::size_t end_ = 0;    // of what was read
  bool reading_ = false;
  bool paused_ = false;
  bool handing_over_ = false;

  std::deque<Bytes> out_;
  std::vector<Bytes> writing_;
  std::size_t queued_bytes_ = 0;
  bool wants_room_ = false;
  bool closing_ = false;
  bool ended_ = false;
};

}  // namespace thalweg::link
