#include "server.h"

#include <array>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <fstream>
#include <set>
#include <thread>
#include <utility>

namespace thalweg::hj212 {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {
constexpr std::size_t kReadBytes = 4096;
constexpr std::size_t kMaxUnsentBytes = 64 * 1024;  // a station that does not read its answers is cut off
}  // namespace

class Server::Impl {
 public:
  Impl(Settings settings, const FactorTable& factors, Host host)
      : settings_(std::move(settings)),
        host_(host),
        intake_(settings_, factors, host),
        acceptor_(io_),
        pause_(io_),
        retry_(io_) {}

  Status start() {
    error_code error;
    const auto address = asio::ip::make_address(settings_.address, error);
    if (error) return Error{Code::kConfig, "listen: " + settings_.address + " is no IP address"};
    const tcp::endpoint endpoint(address, settings_.port);
    const auto failed = [&](const char* what) {
      error_code ignored;
      acceptor_.close(ignored);
      return Error{Code::kUnavailable, std::string(what) + " " + settings_.address + ":" +
                                           std::to_string(settings_.port) + ": " + error.message()};
    };
    if (acceptor_.open(endpoint.protocol(), error); error) return failed("opening");
    if (acceptor_.set_option(tcp::acceptor::reuse_address(true), error); error) return failed("opening");
    if (acceptor_.bind(endpoint, error); error) return failed("binding");
    if (acceptor_.listen(asio::socket_base::max_listen_connections, error); error) return failed("listening on");
    const auto port = acceptor_.local_endpoint(error).port();
    if (!settings_.port_file.empty() && !write_port(port)) {
      acceptor_.close(error);
      return Error{Code::kUnavailable, "port_file: cannot be written: " + settings_.port_file};
    }
    host_.info("listening on " + settings_.address + ":" + std::to_string(port) + " for " +
               std::to_string(settings_.stations.size()) + " stations");
    accept();
    thread_ = std::thread([this] { io_.run(); });
    return {};
  }

  void stop();

  void settled(std::vector<Intake::Outcome> outcomes) {
    asio::post(io_, [this, outcomes = std::move(outcomes)] {
      if (intake_.settled(outcomes)) retry_later();
      resume();
    });
  }
  void room() {
    asio::post(io_, [this] {
      intake_.flush();
      resume();
    });
  }

 private:
  class Connection;

  bool write_port(unsigned port) const {
    const std::string beside = settings_.port_file + ".new";
    {
      std::ofstream file(beside, std::ios::trunc);
      file << port << "\n";
      if (!file.flush()) return false;
    }
    return std::rename(beside.c_str(), settings_.port_file.c_str()) == 0;
  }

  void accept();

  /// The gate did not take records after all: it is offered them again in a second, not at once.
  void retry_later() {
    retry_.expires_after(std::chrono::seconds(1));
    retry_.async_wait([this](error_code stopped) {
      if (!stopped) intake_.flush();
    });
  }

  /// Reads again from lines that had to wait for room.
  void resume();

  // Constant after construction.
  const Settings settings_;
  const Host host_;
  std::thread thread_;

  // The thread's.
  asio::io_context io_{1};
  Intake intake_;
  tcp::acceptor acceptor_;
  asio::steady_timer pause_, retry_;
  std::set<std::shared_ptr<Connection>> lines_;
  std::vector<std::shared_ptr<Connection>> held_back_;
};

/// One station's connection.
class Server::Impl::Connection final : public Line, public std::enable_shared_from_this<Connection> {
 public:
  Connection(Impl& server, tcp::socket socket, std::string peer)
      : server_(server),
        socket_(std::move(socket)),
        timer_(server.io_),
        framer_(server.settings_.max_segment_bytes),
        peer_(std::move(peer)) {}

  void begin() {
    error_code ignored;
    socket_.set_option(asio::socket_base::keep_alive(true), ignored);
    socket_.set_option(tcp::no_delay(true), ignored);
    read();
  }

  void read() {
    if (!socket_.is_open()) return;
    arm();
    socket_.async_read_some(asio::buffer(buffer_), [self = shared_from_this()](error_code error, std::size_t bytes) {
      self->timer_.cancel();
      if (error) return self->close(error == asio::error::eof ? "" : error.message());
      self->got(bytes);
    });
  }

  void send(const std::string& bytes) override {
    if (!socket_.is_open()) return;
    if (unsent_.size() + writing_.size() + bytes.size() > kMaxUnsentBytes) return close("does not read its answers");
    unsent_ += bytes;
    if (writing_.empty()) write();
  }
  const std::string& peer() const override { return peer_; }

  void close(const std::string& why) {
    if (!socket_.is_open()) return;
    if (!why.empty()) server_.host_.warning(peer_ + ": connection closed: " + why);
    server_.intake_.give_up_parts(*this);
    timer_.cancel();
    error_code ignored;
    socket_.shutdown(tcp::socket::shutdown_both, ignored);
    socket_.close(ignored);
    server_.lines_.erase(shared_from_this());
  }

 private:
  /// The limit for the next byte: shorter inside a packet. It starts with a packet, so that a byte now and then does
  /// not prolong it.
  void arm() {
    using std::chrono::milliseconds;
    using std::chrono::steady_clock;
    const bool inside = framer_.in_packet() || !parts.empty();
    if (!inside) begun_ = {};
    if (inside && begun_ == steady_clock::time_point{}) begun_ = steady_clock::now();
    timer_.expires_at(inside ? begun_ + milliseconds(server_.settings_.packet_ms)
                             : steady_clock::now() + milliseconds(server_.settings_.idle_ms));
    timer_.async_wait([weak = weak_from_this(), inside](error_code error) {
      const auto self = weak.lock();
      if (error || !self) return;
      self->close(inside ? "a packet was not completed in time" : "");
    });
  }

  void got(std::size_t bytes) {
    std::vector<Framer::Found> found;
    framer_.feed({buffer_.data(), bytes}, found);
    for (const Framer::Found& one : found) {
      Status done;
      if (one.fault) {
        server_.intake_.count(*one.fault);
        done = *one.fault;
      } else {
        done = server_.intake_.take(shared_from_this(), one.segment);
      }
      if (!socket_.is_open()) return;
      if (done) {
        faults_ = 0;
        continue;
      }
      ++faults_;
      server_.host_.warning(peer_ + ": " + done.error().message + " (" +
                            std::to_string(static_cast<int>(done.error().code)) + "); no answer is given");
      if (faults_ >= server_.settings_.max_faults) return close("too many faults in a row");
    }
    if (server_.intake_.has_room()) return read();
    server_.held_back_.push_back(
        shared_from_this());  // what the station sends waits in the network until there is room
  }

  void write() {
    writing_ = std::exchange(unsent_, {});
    asio::async_write(socket_, asio::buffer(writing_), [self = shared_from_this()](error_code error, std::size_t) {
      self->writing_.clear();
      if (error) return self->close(error.message());
      if (!self->unsent_.empty()) self->write();
    });
  }

  Impl& server_;
  tcp::socket socket_;
  asio::steady_timer timer_;
  Framer framer_;
  const std::string peer_;
  std::array<char, kReadBytes> buffer_;
  std::chrono::steady_clock::time_point begun_{};
  std::string unsent_, writing_;
  std::size_t faults_ = 0;
};

void Server::Impl::stop() {
  if (!thread_.joinable()) return;
  asio::post(io_, [this] {
    error_code ignored;
    acceptor_.close(ignored);
    pause_.cancel();
    retry_.cancel();
    const auto all = lines_;
    for (const auto& line : all) line->close("");
  });
  thread_.join();
  const Counters& c = intake_.counters();
  host_.info("stopped; packets " + std::to_string(c.packets) + ", records " + std::to_string(c.records) +
             ", accepted " + std::to_string(c.accepted) + ", rejected " + std::to_string(c.rejected) + ", answers " +
             std::to_string(c.answers) + ", bad checksums " + std::to_string(c.bad_crc) + ", bad format " +
             std::to_string(c.bad_format) + ", unknown stations " + std::to_string(c.unknown_station) +
             ", wrong passwords " + std::to_string(c.wrong_password) + ", given up " + std::to_string(c.given_up));
}

void Server::Impl::resume() {
  if (!intake_.has_room()) return;
  const auto waiting = std::exchange(held_back_, {});
  for (const auto& line : waiting) line->read();
}

void Server::Impl::accept() {
  acceptor_.async_accept([this](error_code error, tcp::socket socket) {
    if (error == asio::error::operation_aborted || !acceptor_.is_open()) return;
    if (error) {  // out of descriptors, say: try again when some may be free
      host_.warning("accepting: " + error.message());
      pause_.expires_after(std::chrono::seconds(1));
      pause_.async_wait([this](error_code stopped) {
        if (!stopped) accept();
      });
      return;
    }
    error_code gone;
    const auto remote = socket.remote_endpoint(gone);
    if (!gone) {
      const std::string peer = remote.address().to_string() + ":" + std::to_string(remote.port());
      if (lines_.size() >= settings_.max_connections) {
        host_.warning(peer + ": refused: there are " + std::to_string(lines_.size()) + " connections");
      } else {
        const auto line = std::make_shared<Connection>(*this, std::move(socket), peer);
        lines_.insert(line);
        line->begin();
      }
    }
    accept();
  });
}

Server::Server(Settings settings, const FactorTable& factors, Host host)
    : impl_(std::make_unique<Impl>(std::move(settings), factors, host)) {}
Server::~Server() { stop(); }
Status Server::start() { return impl_->start(); }
void Server::stop() { impl_->stop(); }
void Server::settled(std::vector<Intake::Outcome> outcomes) { impl_->settled(std::move(outcomes)); }
void Server::room() { impl_->room(); }

}  // namespace thalweg::hj212
