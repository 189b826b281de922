// gate_client.cc: see gate_client.h.
#include "runner/gate_client.h"

#include "model/record.h"

namespace thalweg::runner {

GateClient::~GateClient() {
  loop_.stop();
  loop_.join();
}

void GateClient::connect(const std::filesystem::path& socket, Lane lane, std::string instance, std::string token) {
  link::LocalEvents events;
  events.on_open = [this, lane, instance = std::move(instance), token = std::move(token)](const auto& connection) {
    connection_ = connection;
    link::LocalHello hello;
    hello.role = link::LocalRole::kRunner;
    hello.lane = lane;
    hello.instance = instance;
    hello.token = token;
    Bytes frame;
    hello.encode(frame);
    connection->send(std::move(frame));
    push_out();
  };
  events.on_frame = [this](const auto&, link::LocalType type, ByteView body) {
    Frame frame;
    frame.type = type;
    frame.size = body.size();
    frame.bytes.reserve(body.size() + kRecordPadding);
    frame.bytes.assign(body.begin(), body.end());
    frame.bytes.resize(body.size() + kRecordPadding);
    {
      const std::lock_guard lock(mutex_);
      if (type == link::LocalType::kStop) stop_ = true;
      ++waiting_[static_cast<std::size_t>(type) % 11];
      in_.push_back(std::move(frame));
    }
    changed_.notify_all();
  };
  events.on_drained = [this](const auto&) { push_out(); };
  events.on_closed = [this](const auto&, Code) {
    connection_ = nullptr;
    {
      const std::lock_guard lock(mutex_);
      ended_ = stop_ = true;
    }
    changed_.notify_all();
  };
  loop_.post([this, socket, events = std::move(events)]() mutable {
    link::LocalOptions options;
    client_ = link::LocalClient::connect(loop_.io(), socket, options, std::move(events));
  });
  loop_.start();
}

void GateClient::send(Bytes frame) {
  {
    const std::lock_guard lock(mutex_);
    out_bytes_ += frame.size();
    out_.push_back(std::move(frame));
    if (out_.size() > 1) return;  // the loop is told already
  }
  loop_.post([this] { push_out(); });
}

void GateClient::push_out() {
  if (connection_ == nullptr) return;
  while (true) {
    Bytes frame;
    {
      const std::lock_guard lock(mutex_);
      if (out_.empty()) break;
      frame = out_.front();  // a copy, since a full queue takes nothing
    }
    const std::size_t size = frame.size();
    if (!connection_->send(std::move(frame))) return;
    const std::lock_guard lock(mutex_);
    out_.pop_front();
    out_bytes_ -= size;
  }
  bool room = false;
  {
    const std::lock_guard lock(mutex_);
    room = std::exchange(had_no_room_, false);
  }
  if (room && on_room_) on_room_();
  changed_.notify_all();
}

bool GateClient::has_room() const {
  const std::lock_guard lock(mutex_);
  if (out_bytes_ < kRoomBytes) return true;
  had_no_room_ = true;
  return false;
}

std::optional<Frame> GateClient::next(std::chrono::milliseconds timeout) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, timeout, [&] { return !in_.empty() || woken_ || stop_; });
  woken_ = false;
  if (in_.empty()) return std::nullopt;
  Frame frame = std::move(in_.front());
  in_.pop_front();
  --waiting_[static_cast<std::size_t>(frame.type) % 11];
  return frame;
}

bool GateClient::waits(link::LocalType type) const {
  const std::lock_guard lock(mutex_);
  return waiting_[static_cast<std::size_t>(type) % 11] > 0;
}

void GateClient::wake() {
  {
    const std::lock_guard lock(mutex_);
    woken_ = true;
  }
  changed_.notify_all();
}

bool GateClient::ended() const {
  const std::lock_guard lock(mutex_);
  return ended_;
}

bool GateClient::stop_asked() const {
  const std::lock_guard lock(mutex_);
  return stop_;
}

void GateClient::ask_stop() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
}

void GateClient::finish(std::chrono::milliseconds timeout) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, timeout, [&] { return out_.empty() || ended_; });
  lock.unlock();
  loop_.run([this] {
    if (connection_ != nullptr) connection_->close();
  });
  lock.lock();
  changed_.wait_for(lock, timeout, [&] { return ended_; });
  lock.unlock();
  loop_.run([this] { client_.reset(); });
}

}  // namespace thalweg::runner
