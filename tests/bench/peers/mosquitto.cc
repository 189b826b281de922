// mosquitto.cc: MQTT 3.1.1 with QoS 1; the receiver has a session that outlives its connection.
#include <mosquitto.h>
#include <signal.h>

#include <stdexcept>

#include "bench/peers/peer.h"

namespace thalweg::bench {
namespace {

// Its library walks the list of open records at every confirmation: 1,000 of them cost it half of what 4,096 do.
constexpr std::size_t kOpen = 1000;

void must(int code, const char* what) {
  if (code != MOSQ_ERR_SUCCESS)
    throw std::runtime_error(std::string("MQTT: ") + what + ": " + mosquitto_strerror(code));
}

/// A client without a thread of its own: loop() does its work.
class Link {
 public:
  Link(std::uint16_t port, const Path& certificate, bool tls, const std::string& id)
      : client_(mosquitto_new(id.empty() ? nullptr : id.c_str(), id.empty(), this)) {
    if (client_ == nullptr) throw std::runtime_error("MQTT: no memory");
    mosquitto_connect_callback_set(
        client_, [](mosquitto*, void* self, int code) { static_cast<Link*>(self)->connected_ = code == 0; });
    mosquitto_subscribe_callback_set(
        client_, [](mosquitto*, void* self, int, int, const int*) { static_cast<Link*>(self)->subscribed_ = true; });
    mosquitto_publish_callback_set(client_, [](mosquitto*, void* self, int) { --static_cast<Link*>(self)->open; });
    mosquitto_message_callback_set(client_, [](mosquitto*, void* self, const mosquitto_message* message) {
      auto& link = *static_cast<Link*>(self);
      ++link.received;
      if (link.each != nullptr)
        (*link.each)({static_cast<const char*>(message->payload), static_cast<std::size_t>(message->payloadlen)});
    });
    try {
      mosquitto_max_inflight_messages_set(client_, 0);
      mosquitto_int_option(client_, MOSQ_OPT_TCP_NODELAY, 1);
      if (tls) must(mosquitto_tls_set(client_, certificate.c_str(), nullptr, nullptr, nullptr, nullptr), "certificate");
      must(mosquitto_connect(client_, "127.0.0.1", port, 3600), "connect");
      wait_for(connected_, "connect");
    } catch (...) {
      mosquitto_destroy(client_);
      throw;
    }
  }
  ~Link() {
    mosquitto_disconnect(client_);
    mosquitto_destroy(client_);
  }
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  void loop(std::chrono::milliseconds wait) {
    must(mosquitto_loop(client_, static_cast<int>(wait.count()), 1), "loop");
  }
  void subscribe(const std::string& topic) {
    must(mosquitto_subscribe(client_, nullptr, topic.c_str(), 1), "subscribe");
    wait_for(subscribed_, "subscribe");
  }
  void publish(const std::string& topic, const std::string& record) {
    must(mosquitto_publish(client_, nullptr, topic.c_str(), static_cast<int>(record.size()), record.data(), 1, false),
         "publish");
    ++open;
  }

  std::size_t open = 0, received = 0;
  const Receiver::Each* each = nullptr;

 private:
  void wait_for(const bool& done, const char* what) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (!done) {
      loop(std::chrono::milliseconds(100));
      if (std::chrono::steady_clock::now() > end) throw std::runtime_error(std::string("MQTT: no answer: ") + what);
    }
  }

  mosquitto* client_;
  bool connected_ = false, subscribed_ = false;
};

class MosquittoSender : public Sender {
 public:
  MosquittoSender(std::uint16_t port, const Path& certificate, bool tls, std::string topic)
      : link_(port, certificate, tls, ""), topic_(std::move(topic)) {}

  void send(std::span<const std::string> records) override {
    for (const std::string& record : records) {
      settle(kOpen - 1);
      link_.publish(topic_, record);
    }
  }
  void settle(std::size_t open) override {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (link_.open > open) {
      link_.loop(std::chrono::milliseconds(1000));
      if (std::chrono::steady_clock::now() > end) throw std::runtime_error("MQTT: no confirmation in 60 s");
    }
  }

 private:
  Link link_;
  std::string topic_;
};

class MosquittoReceiver : public Receiver {
 public:
  MosquittoReceiver(std::uint16_t port, const Path& certificate, bool tls, const std::string& topic)
      : link_(port, certificate, tls, "receiver-" + topic) {}

  std::size_t take(std::chrono::milliseconds wait, const Each& each) override {
    link_.each = &each;
    link_.loop(wait);
    link_.each = nullptr;
    const std::size_t now = link_.received - seen_;
    seen_ += now;
    return now;
  }

 private:
  Link link_;
  std::size_t seen_ = 0;
};

class Mosquitto : public Peer {
 public:
  explicit Mosquitto(Site site) : Peer(std::move(site)) { mosquitto_lib_init(); }
  ~Mosquitto() override { mosquitto_lib_cleanup(); }

  std::string name() const override { return "mosquitto"; }
  std::string title() const override { return "Mosquitto, QoS 1, persistence on, session of the receiver kept"; }
  Guarantee guarantee() const override {
    return {"in memory only, written every 30 minutes and at a clean stop", false, encryption(), false};
  }
  const char* binary() const override { return "mosquitto"; }
  const char* package() const override { return "mosquitto"; }

  void declare(const std::string& queue) override {
    Link link(port(), site().certificate, tls(), "receiver-" + queue);
    link.subscribe(queue);
  }
  std::unique_ptr<Sender> sender(const std::string& queue) override {
    return std::make_unique<MosquittoSender>(port(), site().certificate, tls(), queue);
  }
  std::unique_ptr<Receiver> receiver(const std::string& queue) override {
    return std::make_unique<MosquittoReceiver>(port(), site().certificate, tls(), queue);
  }
  /// MQTT cannot be asked: everything is read.
  std::uint64_t stored(const std::string& queue) override {
    const auto all = receiver(queue);
    auto last = std::chrono::steady_clock::now();
    std::uint64_t records = 0;
    while (std::chrono::steady_clock::now() - last < std::chrono::seconds(2)) {
      const std::size_t got = all->take(std::chrono::milliseconds(100), [](std::string_view) {});
      if (got != 0) last = std::chrono::steady_clock::now();
      records += got;
    }
    return records;
  }
  void write_out() override { server().signal(SIGUSR1); }

 protected:
  /// Unbounded queues, or it would drop records.
  ServerCommand command() override {
    std::string text = "listener " + std::to_string(port()) + " 127.0.0.1\nallow_anonymous true\nuser root\n" +
                       "persistence true\npersistence_location " + data().string() + "/\nmax_queued_messages 0\n" +
                       "max_inflight_messages " + std::to_string(kOpen) + "\nset_tcp_nodelay true\n";
    if (tls()) text += "certfile " + site().certificate.string() + "\nkeyfile " + site().key.string() + "\n";
    write_file(site().folder / "mosquitto.conf", text);
    return {{binary(), "-c", (site().folder / "mosquitto.conf").string()}, {}};
  }
};

}  // namespace

std::unique_ptr<Peer> make_mosquitto(Site site) { return std::make_unique<Mosquitto>(std::move(site)); }

}  // namespace thalweg::bench
