#include "link/local_connection.h"

#include <sys/socket.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>

#include "base/log.h"

namespace thalweg::link {
namespace {

constexpr std::size_t kReadBytes = 64 * 1024;
constexpr std::size_t kBuffersPerWrite = 32;
constexpr std::uint8_t kLastLocalType = static_cast<std::uint8_t>(LocalType::kStop);

}  // namespace

LocalConnectionImpl::LocalConnectionImpl(Socket socket, const LocalOptions& options, const LocalEvents& events)
    : socket_(std::move(socket)), options_(options), events_(events) {}

void LocalConnectionImpl::start() {
  ucred credentials{};
  socklen_t size = sizeof credentials;
  if (::getsockopt(socket_.native_handle(), SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0)
    return end(Code::kDenied);
  peer_ = {credentials.uid, credentials.gid, credentials.pid};
  const auto self = shared_from_this();
  if (events_.on_open) events_.on_open(self);
  read();
}

void LocalConnectionImpl::read() {
  if (reading_ || paused_ || ended_) return;
  if (begin_ > 0) {
    std::memmove(in_.data(), in_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  // Room for the frame that has begun, if its size is known; never more than one frame and one read.
  std::size_t wanted = end_ + kReadBytes;
  if (end_ >= sizeof(std::uint32_t)) {
    std::uint32_t size;
    std::memcpy(&size, in_.data(), sizeof size);
    if (size <= options_.max_frame_bytes) wanted = std::max(wanted, sizeof size + size);
  }
  if (in_.size() < wanted) in_.resize(wanted);
  reading_ = true;
  socket_.async_read_some(boost::asio::buffer(in_.data() + end_, in_.size() - end_),
                          [self = shared_from_this()](boost::system::error_code error, std::size_t bytes) {
                            self->reading_ = false;
                            if (self->ended_) return;
                            if (error) return self->end(Code::kOk);
                            self->end_ += bytes;
                            if (self->hand_over()) self->read();
                          });
}

bool LocalConnectionImpl::hand_over() {
  handing_over_ = true;
  while (!paused_ && !ended_ && end_ - begin_ >= sizeof(std::uint32_t)) {
    std::uint32_t size;
    std::memcpy(&size, in_.data() + begin_, sizeof size);
    if (size == 0 || size > options_.max_frame_bytes) {
      log::warning("link", "a local peer (process {}) sent a frame of {} bytes", peer_.pid, size);
      end(Code::kLinkFrame);
      break;
    }
    if (end_ - begin_ - sizeof size < size) break;
    const ByteView frame = ByteView(in_).subspan(begin_ + sizeof size, size);
    if (frame[0] == 0 || frame[0] > kLastLocalType) {
      log::warning("link", "a local peer (process {}) sent a frame of unknown type {}", peer_.pid, frame[0]);
      end(Code::kLinkFrame);
      break;
    }
    begin_ += sizeof size + size;
    events_.on_frame(shared_from_this(), static_cast<LocalType>(frame[0]), frame.subspan(1));
  }
  handing_over_ = false;
  return !ended_;
}

void LocalConnectionImpl::resume_reading() {
  if (!paused_) return;
  paused_ = false;
  // Not from within: the caller may be in the middle of something, or of hand_over() itself.
  boost::asio::post(socket_.get_executor(), [self = shared_from_this()] {
    if (self->ended_ || self->paused_ || self->reading_ || self->handing_over_) return;
    if (self->hand_over()) self->read();
  });
}

bool LocalConnectionImpl::send(Bytes frame) {
  if (ended_ || closing_) return false;
  if (frame.size() > options_.max_frame_bytes + sizeof(std::uint32_t)) {
    log::error("link", "a local frame of {} bytes is larger than allowed and was not sent", frame.size());
    close();
    return false;
  }
  if (queued_bytes_ > 0 && queued_bytes_ + frame.size() > options_.write_queue_bytes) {
    wants_room_ = true;
    return false;
  }
  queued_bytes_ += frame.size();
  out_.push_back(std::move(frame));
  write();
  return true;
}

void LocalConnectionImpl::write() {
  if (!writing_.empty() || ended_) return;
  if (out_.empty()) {
    if (closing_) end(Code::kOk);
    return;
  }
  std::vector<boost::asio::const_buffer> buffers;
  while (!out_.empty() && writing_.size() < kBuffersPerWrite) {
    writing_.push_back(std::move(out_.front()));
    out_.pop_front();
    buffers.emplace_back(writing_.back().data(), writing_.back().size());
  }
  boost::asio::async_write(
      socket_, buffers, [self = shared_from_this()](boost::system::error_code error, std::size_t bytes) {
        if (self->ended_) return;
        if (error) return self->end(Code::kOk);
        self->writing_.clear();
        self->queued_bytes_ -= bytes;
        self->write();
        if (self->wants_room_ && !self->ended_ && self->queued_bytes_ <= self->options_.write_queue_bytes / 2) {
          self->wants_room_ = false;
          if (self->events_.on_drained) self->events_.on_drained(self);
        }
      });
}

void LocalConnectionImpl::close() {
  if (closing_ || ended_) return;
  closing_ = true;
  // Later, so that on_closed never comes from within the caller's own call.
  boost::asio::post(socket_.get_executor(), [self = shared_from_this()] { self->write(); });
}

void LocalConnectionImpl::abandon() {
  ended_ = true;
  events_ = {};
  on_gone = nullptr;
  boost::system::error_code ignored;
  socket_.close(ignored);
}

void LocalConnectionImpl::end(Code code) {
  if (ended_) return;
  ended_ = true;
  boost::system::error_code ignored;
  socket_.close(ignored);
  const auto self = shared_from_this();
  if (events_.on_closed) events_.on_closed(self, code);
  if (on_gone) on_gone();
}

}  // namespace thalweg::link
