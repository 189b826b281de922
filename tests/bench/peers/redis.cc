// redis.cc: Redis Streams. Debian's hiredis has no TLS, so its reader of the protocol stands on OpenSSL here.
#include <arpa/inet.h>
#include <hiredis/hiredis.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>

#include "bench/peers/peer.h"

namespace thalweg::bench {
namespace {

constexpr std::size_t kRead = 1024;  // records of one XREADGROUP

struct FreeReply {
  void operator()(redisReply* reply) const { freeReplyObject(reply); }
};
using Reply = std::unique_ptr<redisReply, FreeReply>;

/// Appends one argument of a command as the protocol writes it.
void argument(std::string& out, std::string_view text) {
  out += '$';
  out += std::to_string(text.size());
  out += "\r\n";
  out += text;
  out += "\r\n";
}

std::string redis_command(std::initializer_list<std::string_view> arguments) {
  std::string out = "*" + std::to_string(arguments.size()) + "\r\n";
  for (const std::string_view one : arguments) argument(out, one);
  return out;
}

class Link {
 public:
  Link(std::uint16_t port, const Path& certificate, bool tls) : reader_(redisReaderCreate()), buffer_(64 << 10) {
    reader_->maxbuf = 0;  // keeps its memory
    try {
      open(port, certificate, tls);
    } catch (...) {
      close();
      throw;
    }
  }
  ~Link() { close(); }
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  void write(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto most = static_cast<int>(std::min<std::size_t>(bytes.size(), 1 << 30));
      const auto sent = ssl_ != nullptr ? static_cast<ssize_t>(SSL_write(ssl_, bytes.data(), most))
                                        : ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) throw std::runtime_error("Redis: the connection is gone");
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
  }

  /// The next reply; throws on an error reply.
  Reply read() {
    for (;;) {
      void* found = nullptr;
      if (redisReaderGetReply(reader_, &found) != REDIS_OK)
        throw std::runtime_error(std::string("Redis: ") + reader_->errstr);
      if (found != nullptr) {
        Reply reply(static_cast<redisReply*>(found));
        if (reply->type == REDIS_REPLY_ERROR) throw std::runtime_error("Redis: " + std::string(reply->str, reply->len));
        return reply;
      }
      const auto got = ssl_ != nullptr
                           ? static_cast<ssize_t>(SSL_read(ssl_, buffer_.data(), static_cast<int>(buffer_.size())))
                           : ::recv(fd_, buffer_.data(), buffer_.size(), 0);
      if (got <= 0) throw std::runtime_error("Redis: the connection is gone or silent for 60 s");
      redisReaderFeed(reader_, buffer_.data(), static_cast<std::size_t>(got));
    }
  }

 private:
  void open(std::uint16_t port, const Path& certificate, bool tls) {
    fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int yes = 1;
    const timeval patience{60, 0};
    ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
      throw std::runtime_error("Redis: no connection");
    if (!tls) return;
    context_ = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_verify(context_, SSL_VERIFY_PEER, nullptr);
    if (SSL_CTX_load_verify_locations(context_, certificate.c_str(), nullptr) != 1)
      throw std::runtime_error("Redis: cannot read the certificate");
    ssl_ = SSL_new(context_);
    SSL_set1_host(ssl_, "localhost");
    SSL_set_fd(ssl_, fd_);
    if (SSL_connect(ssl_) != 1) throw std::runtime_error("Redis: no TLS");
  }
  void close() {
    SSL_free(ssl_);
    SSL_CTX_free(context_);
    if (fd_ >= 0) ::close(fd_);
    redisReaderFree(reader_);
  }

  redisReader* reader_;
  std::vector<char> buffer_;
  int fd_ = -1;
  SSL_CTX* context_ = nullptr;
  SSL* ssl_ = nullptr;
};

class RedisSender : public Sender {
 public:
  RedisSender(std::uint16_t port, const Path& certificate, bool tls, const std::string& queue)
      : link_(port, certificate, tls), front_("*5\r\n") {
    for (const std::string_view one :
         {std::string_view("XADD"), std::string_view(queue), std::string_view("*"), std::string_view("r")})
      argument(front_, one);
  }
  void send(std::span<const std::string> records) override {
    pipeline_.clear();
    for (const std::string& record : records) {
      pipeline_ += front_;
      argument(pipeline_, record);
    }
    link_.write(pipeline_);
    open_ += records.size();
  }
  void settle(std::size_t open) override {
    for (; open_ > open; --open_) link_.read();
  }

 private:
  Link link_;
  std::string front_, pipeline_;
  std::size_t open_ = 0;
};

class RedisReceiver : public Receiver {
 public:
  RedisReceiver(std::uint16_t port, const Path& certificate, bool tls, std::string queue)
      : link_(port, certificate, tls), queue_(std::move(queue)) {}

  /// XACK of what came and the next XREADGROUP travel together; the latter's answer is read by the next call.
  std::size_t take(std::chrono::milliseconds wait, const Each& each) override {
    if (!asked_) link_.write(ask(wait));
    asked_ = true;
    const Reply reply = link_.read();
    asked_ = false;
    if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 1) return 0;  // nil: nothing came in time
    const redisReply* records = reply->element[0]->element[1];
    std::string next = "*" + std::to_string(3 + records->elements) + "\r\n";
    for (const std::string_view one :
         {std::string_view("XACK"), std::string_view(queue_), std::string_view("receiver")})
      argument(next, one);
    for (std::size_t i = 0; i < records->elements; ++i) {
      const redisReply* id = records->element[i]->element[0];
      const redisReply* value = records->element[i]->element[1]->element[1];
      each({value->str, static_cast<std::size_t>(value->len)});
      argument(next, {id->str, static_cast<std::size_t>(id->len)});
    }
    link_.write(next + ask(wait));
    link_.read();
    asked_ = true;
    return records->elements;
  }

 private:
  std::string ask(std::chrono::milliseconds wait) const {
    return redis_command({"XREADGROUP", "GROUP", "receiver", "one", "COUNT", std::to_string(kRead), "BLOCK",
                          std::to_string(wait.count()), "STREAMS", queue_, ">"});
  }

  Link link_;
  std::string queue_;
  bool asked_ = false;
};

class Redis : public Peer {
 public:
  using Peer::Peer;

  std::string name() const override { return "redis"; }
  std::string title() const override { return "Redis 7 Streams, appendfsync always, consumer group"; }
  Guarantee guarantee() const override { return {"in memory and in the append-only file", true, encryption(), false}; }
  const char* binary() const override { return "redis-server"; }
  const char* package() const override { return "redis-server"; }

  void declare(const std::string& queue) override {
    Link link(port(), site().certificate, tls());
    link.write(redis_command({"XGROUP", "CREATE", queue, "receiver", "0", "MKSTREAM"}));
    link.read();
  }
  std::unique_ptr<Sender> sender(const std::string& queue) override {
    return std::make_unique<RedisSender>(port(), site().certificate, tls(), queue);
  }
  std::unique_ptr<Receiver> receiver(const std::string& queue) override {
    return std::make_unique<RedisReceiver>(port(), site().certificate, tls(), queue);
  }
  std::uint64_t stored(const std::string& queue) override {
    Link link(port(), site().certificate, tls());
    link.write(redis_command({"XLEN", queue}));
    return static_cast<std::uint64_t>(link.read()->integer);
  }

 protected:
  /// Without snapshots and rewrites, which would only slow it down here.
  ServerCommand command() override {
    std::string text = "bind 127.0.0.1\ndir " + data().string() +
                       "\nappendonly yes\nappendfsync always\nsave \"\"\nauto-aof-rewrite-percentage 0\n";
    if (tls()) {
      text += "port 0\ntls-port " + std::to_string(port()) + "\ntls-cert-file " + site().certificate.string() +
              "\ntls-key-file " + site().key.string() + "\ntls-ca-cert-file " + site().certificate.string() +
              "\ntls-auth-clients no\n";
    } else {
      text += "port " + std::to_string(port()) + "\n";
    }
    write_file(site().folder / "redis.conf", text);
    return {{binary(), (site().folder / "redis.conf").string()}, {}};
  }
};

}  // namespace

std::unique_ptr<Peer> make_redis(Site site) { return std::make_unique<Redis>(std::move(site)); }

}  // namespace thalweg::bench
