// rabbitmq.cc: RabbitMQ by rabbitmq-c: publisher confirms, one consumer that acknowledges many at once.
#include <amqp.h>
#include <amqp_ssl_socket.h>
#include <amqp_tcp_socket.h>

#include <deque>
#include <stdexcept>
#include <thread>

#include "bench/peers/peer.h"

namespace thalweg::bench {
namespace {

constexpr amqp_channel_t kChannel = 1;
constexpr std::uint16_t kPrefetch = static_cast<std::uint16_t>(kBatch * kWindow);

constexpr std::chrono::seconds kPatience(20);

amqp_bytes_t view(std::string_view text) { return {text.size(), const_cast<char*>(text.data())}; }

[[noreturn]] void fail(const std::string& what) { throw std::runtime_error("AMQP: " + what); }

timeval in(std::chrono::milliseconds wait) {
  return {static_cast<time_t>(wait.count() / 1000), static_cast<suseconds_t>(wait.count() % 1000 * 1000)};
}

class Link {
 public:
  Link(std::uint16_t port, const Path& certificate, bool tls) : state_(amqp_new_connection()) {
    try {
      amqp_socket_t* socket = tls ? amqp_ssl_socket_new(state_) : amqp_tcp_socket_new(state_);
      if (socket == nullptr) fail("no socket");
      if (tls) {
        if (amqp_ssl_socket_set_cacert(socket, certificate.c_str()) != AMQP_STATUS_OK) fail("certificate");
        amqp_ssl_socket_set_verify_peer(socket, 1);
        amqp_ssl_socket_set_verify_hostname(socket, 1);
      }
      const timeval patience = in(kPatience);  // a server that is still starting may take a connection and say nothing
      amqp_set_handshake_timeout(state_, &patience);
      amqp_set_rpc_timeout(state_, &patience);
      if (amqp_socket_open_noblock(socket, tls ? "localhost" : "127.0.0.1", port, &patience) != AMQP_STATUS_OK)
        fail("no connection");
      check(amqp_login(state_, "/", 0, AMQP_DEFAULT_FRAME_SIZE, 0, AMQP_SASL_METHOD_PLAIN, "guest", "guest"), "login");
      amqp_channel_open(state_, kChannel);
      check("channel");
    } catch (...) {
      amqp_destroy_connection(state_);
      throw;
    }
  }
  ~Link() { amqp_destroy_connection(state_); }
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  static void check(const amqp_rpc_reply_t& reply, const std::string& what) {
    if (reply.reply_type == AMQP_RESPONSE_NORMAL) return;
    if (reply.reply_type == AMQP_RESPONSE_LIBRARY_EXCEPTION)
      fail(what + ": " + amqp_error_string2(reply.library_error));
    std::string why = "refused by the server";
    if (reply.reply.id == AMQP_CHANNEL_CLOSE_METHOD) {
      const amqp_bytes_t text = static_cast<amqp_channel_close_t*>(reply.reply.decoded)->reply_text;
      why.assign(static_cast<const char*>(text.bytes), text.len);
    }
    fail(what + ": " + why);
  }
  void check(const std::string& what) const { check(amqp_get_rpc_reply(state_), what); }
  amqp_connection_state_t state() const { return state_; }

 private:
  amqp_connection_state_t state_;
};

class RabbitSender : public Sender {
 public:
  RabbitSender(std::uint16_t port, const Path& certificate, bool tls, std::string queue)
      : link_(port, certificate, tls), queue_(std::move(queue)) {
    amqp_confirm_select(link_.state(), kChannel);
    link_.check("confirms");
    properties_._flags = AMQP_BASIC_DELIVERY_MODE_FLAG;
    properties_.delivery_mode = AMQP_DELIVERY_PERSISTENT;
  }

  void send(std::span<const std::string> records) override {
    for (const std::string& record : records) {
      const int status =
          amqp_basic_publish(link_.state(), kChannel, amqp_empty_bytes, view(queue_), 0, 0, &properties_, view(record));
      if (status != AMQP_STATUS_OK) fail(std::string("publish: ") + amqp_error_string2(status));
      unconfirmed_.push_back(true);
    }
    open_ += records.size();
  }

  void settle(std::size_t open) override {
    while (open_ > open) {
      amqp_maybe_release_buffers(link_.state());
      amqp_frame_t frame;
      const timeval patience = in(std::chrono::seconds(60));
      const int status = amqp_simple_wait_frame_noblock(link_.state(), &frame, &patience);
      if (status != AMQP_STATUS_OK) fail(std::string("confirmation: ") + amqp_error_string2(status));
      if (frame.frame_type != AMQP_FRAME_METHOD) continue;
      if (frame.payload.method.id != AMQP_BASIC_ACK_METHOD) fail("a record was refused");
      const auto& ack = *static_cast<amqp_basic_ack_t*>(frame.payload.method.decoded);
      confirm(ack.delivery_tag, ack.multiple != 0);
    }
  }

 private:
  void confirm(std::uint64_t tag, bool multiple) {
    if (tag < first_ || tag - first_ >= unconfirmed_.size()) return;  // said before
    if (unconfirmed_[tag - first_]) --open_;
    unconfirmed_[tag - first_] = false;
    for (; !unconfirmed_.empty() && (!unconfirmed_.front() || (multiple && first_ < tag)); ++first_) {
      if (unconfirmed_.front()) --open_;
      unconfirmed_.pop_front();
    }
  }

  Link link_;
  std::string queue_;
  amqp_basic_properties_t properties_{};
  std::deque<bool> unconfirmed_;  // from the delivery tag first_ on
  std::uint64_t first_ = 1;
  std::size_t open_ = 0;
};

class RabbitReceiver : public Receiver {
 public:
  RabbitReceiver(std::uint16_t port, const Path& certificate, bool tls, const std::string& queue)
      : link_(port, certificate, tls) {
    amqp_basic_qos(link_.state(), kChannel, 0, kPrefetch, 0);
    link_.check("prefetch");
    amqp_basic_consume(link_.state(), kChannel, view(queue), amqp_empty_bytes, 0, 0, 0, amqp_empty_table);
    link_.check("consume");
  }

  std::size_t take(std::chrono::milliseconds wait, const Each& each) override {
    std::size_t count = 0;
    std::uint64_t last = 0;
    for (; count < kBatch; ++count) {
      amqp_maybe_release_buffers(link_.state());
      amqp_envelope_t envelope;
      const timeval patience = in(count == 0 ? wait : std::chrono::milliseconds(0));
      const amqp_rpc_reply_t reply = amqp_consume_message(link_.state(), &envelope, &patience, 0);
      if (reply.reply_type == AMQP_RESPONSE_LIBRARY_EXCEPTION && reply.library_error == AMQP_STATUS_TIMEOUT) break;
      Link::check(reply, "delivery");
      each({static_cast<const char*>(envelope.message.body.bytes), envelope.message.body.len});
      last = envelope.delivery_tag;
      amqp_destroy_envelope(&envelope);
    }
    if (count != 0 && amqp_basic_ack(link_.state(), kChannel, last, 1) != AMQP_STATUS_OK) fail("acknowledge");
    return count;
  }

 private:
  Link link_;
};

class RabbitMq : public Peer {
 public:
  RabbitMq(Site site, bool quorum) : Peer(std::move(site)), quorum_(quorum) {}

  std::string name() const override { return quorum_ ? "rabbitmq-quorum" : "rabbitmq-classic"; }
  std::string title() const override {
    return quorum_ ? "RabbitMQ 3, quorum queue (one node), publisher confirms"
                   : "RabbitMQ 3, classic durable queue, persistent records, publisher confirms";
  }
  Guarantee guarantee() const override {
    if (quorum_) return {"in the log of the queue", true, encryption(), false};
    return {"in the log of the queue, synced in batches, or acknowledged by the receiver, who gets it before", true,
            encryption(), false};
  }
  /// The script behind Debian's wrapper, which would insist on the system's own instance.
  const char* binary() const override { return "/usr/lib/rabbitmq/bin/rabbitmq-server"; }
  const char* package() const override { return "rabbitmq-server"; }

  void declare(const std::string& queue) override {
    Link link(port(), site().certificate, tls());
    amqp_table_entry_t type{};
    type.key = view("x-queue-type");
    type.value.kind = AMQP_FIELD_KIND_UTF8;
    type.value.value.bytes = view(quorum_ ? "quorum" : "classic");
    amqp_queue_declare(link.state(), kChannel, view(queue), 0, 1, 0, 0, {1, &type});
    link.check("queue");
  }
  std::unique_ptr<Sender> sender(const std::string& queue) override {
    return std::make_unique<RabbitSender>(port(), site().certificate, tls(), queue);
  }
  std::unique_ptr<Receiver> receiver(const std::string& queue) override {
    return std::make_unique<RabbitReceiver>(port(), site().certificate, tls(), queue);
  }
  std::uint64_t stored(const std::string& queue) override {
    Link link(port(), site().certificate, tls());
    const auto* answer = amqp_queue_declare(link.state(), kChannel, view(queue), 1, 1, 0, 0, amqp_empty_table);
    link.check("queue");
    return answer->message_count;
  }

 protected:
  /// With a port mapper of its own: one that is already there may belong to a real broker.
  ServerCommand command() override {
    if (mapper_port_ == 0) mapper_port_ = free_port();
    const std::string mapper_port = std::to_string(mapper_port_);
    if (!mapper_.runs())
      mapper_.start({{"epmd", "-port", mapper_port, "-address", "127.0.0.1"}, {}}, site().folder / "epmd.log");
    while (!accepts(mapper_port_)) {
      if (!mapper_.runs()) fail("epmd ended: " + mapper_.last_words());
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }

    const auto below = [&](const char* name) { return (site().folder / name).string(); };
    std::string text =
        "vm_memory_high_watermark.relative = 0.8\nlog.file = false\nlog.console = true\nlog.console.level = warning\n";
    if (tls()) {
      text += "listeners.tcp = none\nlisteners.ssl.default = 127.0.0.1:" + std::to_string(port()) +
              "\nssl_options.cacertfile = " + site().certificate.string() +
              "\nssl_options.certfile = " + site().certificate.string() +
              "\nssl_options.keyfile = " + site().key.string() + "\nssl_options.verify = verify_none\n";
    } else {
      text += "listeners.tcp.default = 127.0.0.1:" + std::to_string(port()) + "\n";
    }
    write_file(below("rabbitmq.conf"), text);
    write_file(below("enabled_plugins"), "[].\n");
    write_file(below("rabbitmq-env.conf"), "");
    return {{binary()},
            {"HOME=" + site().folder.string(),
             "RUNNING_UNDER_SYSTEMD=true" /* the server itself, no script around it */, "ERL_EPMD_PORT=" + mapper_port,
             "ERL_EPMD_ADDRESS=127.0.0.1", "RABBITMQ_NODENAME=thalweg" + std::to_string(port()) + "@localhost",
             "RABBITMQ_DIST_PORT=" + std::to_string(free_port()),
             "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS=-kernel inet_dist_use_interface {127,0,0,1}",
             "RABBITMQ_CONF_ENV_FILE=" + below("rabbitmq-env.conf"), "RABBITMQ_CONFIG_FILE=" + below("rabbitmq.conf"),
             "RABBITMQ_ENABLED_PLUGINS_FILE=" + below("enabled_plugins"), "RABBITMQ_LOG_BASE=" + below("logs"),
             "RABBITMQ_MNESIA_BASE=" + data().string(), "RABBITMQ_MNESIA_DIR=" + (data() / "node").string(),
             "RABBITMQ_PID_FILE=" + below("pid")}};
  }

 private:
  bool quorum_;
  std::uint16_t mapper_port_ = 0;
  ServerProcess mapper_;
};

}  // namespace

std::unique_ptr<Peer> make_rabbitmq_classic(Site site) { return std::make_unique<RabbitMq>(std::move(site), false); }
std::unique_ptr<Peer> make_rabbitmq_quorum(Site site) { return std::make_unique<RabbitMq>(std::move(site), true); }

}  // namespace thalweg::bench
