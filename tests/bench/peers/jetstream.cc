// jetstream.cc: NATS JetStream by nats.c: asynchronous publishing, a pull consumer that acknowledges many at once.
#include <nats/nats.h>

#include <atomic>
#include <stdexcept>

#include "bench/peers/peer.h"

namespace thalweg::bench {
namespace {

// Records of one pull. An acknowledgement of one record speaks for all before it (AckAll).
constexpr std::size_t kPull = 1024;

void must(natsStatus status, const char* what) {
  if (status != NATS_OK)
    throw std::runtime_error(std::string("JetStream: ") + what + ": " + natsStatus_GetText(status));
}

/// A connection and its JetStream context.
class Link {
 public:
  Link(std::uint16_t port, const Path& certificate, bool tls) {
    natsOptions* options = nullptr;
    must(natsOptions_Create(&options), "options");
    const std::string url = "nats://127.0.0.1:" + std::to_string(port);
    natsStatus status = natsOptions_SetURL(options, url.c_str());
    if (tls && status == NATS_OK) status = natsOptions_SetSecure(options, true);
    if (tls && status == NATS_OK) status = natsOptions_LoadCATrustedCertificates(options, certificate.c_str());
    if (tls && status == NATS_OK) status = natsOptions_SetExpectedHostname(options, "localhost");
    if (status == NATS_OK) status = natsOptions_SetAllowReconnect(options, false);
    // Its own thread prints errors of a server that was killed on purpose.
    const auto quiet = [](natsConnection*, natsSubscription*, natsStatus, void*) {};
    if (status == NATS_OK) status = natsOptions_SetErrorHandler(options, quiet, nullptr);
    if (status == NATS_OK) status = natsConnection_Connect(&connection_, options);
    natsOptions_Destroy(options);
    must(status, "connect");
    jsOptions how;
    jsOptions_Init(&how);
    how.Wait = 30'000;
    how.PublishAsync.MaxPending = static_cast<std::int64_t>(kBatch * kWindow);
    how.PublishAsync.StallWait = 60'000;
    how.PublishAsync.ErrHandler = [](jsCtx*, jsPubAckErr*, void* failed) {
      static_cast<std::atomic<bool>*>(failed)->store(true);
    };
    how.PublishAsync.ErrHandlerClosure = &failed_;
    status = natsConnection_JetStream(&context_, connection_, &how);
    if (status != NATS_OK) natsConnection_Destroy(connection_);
    must(status, "context");
  }
  ~Link() {
    jsCtx_Destroy(context_);
    natsConnection_Destroy(connection_);
  }
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  natsConnection* connection() const { return connection_; }
  jsCtx* context() const { return context_; }
  bool failed() const { return failed_; }

 private:
  natsConnection* connection_ = nullptr;
  jsCtx* context_ = nullptr;
  std::atomic<bool> failed_{false};
};

class JetStreamSender : public Sender {
 public:
  JetStreamSender(const Peer& peer, const Path& certificate, bool tls, std::string queue)
      : link_(peer.port(), certificate, tls), queue_(std::move(queue)) {}

  void send(std::span<const std::string> records) override {
    if (records.size() == 1 && settled_) {  // its own fastest way for a single one: request and reply
      single_ = records.front();
      return;
    }
    settled_ = false;
    for (const std::string& record : records)
      must(js_PublishAsync(link_.context(), queue_.c_str(), record.data(), static_cast<int>(record.size()), nullptr),
           "publish");
  }
  void settle(std::size_t open) override {
    if (!single_.empty()) {
      const natsStatus status = js_Publish(nullptr, link_.context(), queue_.c_str(), single_.data(),
                                           static_cast<int>(single_.size()), nullptr, nullptr);
      single_.clear();
      must(status, "publish");
    }
    if (open == 0 && !settled_) {  // otherwise MaxPending is the window
      jsPubOptions how;
      jsPubOptions_Init(&how);
      how.MaxWait = 60'000;
      must(js_PublishAsyncComplete(link_.context(), &how), "confirmation");
      settled_ = true;
    }
    if (link_.failed()) throw std::runtime_error("JetStream refused a record");
  }

 private:
  Link link_;
  std::string queue_, single_;
  bool settled_ = true;
};

/// Pulls by the protocol itself, asking anew before the last request is used up. natsSubscription_Fetch() of nats.c 3.4
/// waits for each answer, and writes past its array when records came in after it had given up once.
class JetStreamReceiver : public Receiver {
 public:
  JetStreamReceiver(const Peer& peer, const Path& certificate, bool tls, const std::string& queue)
      : link_(peer.port(), certificate, tls), next_("$JS.API.CONSUMER.MSG.NEXT." + queue + ".receiver") {
    natsInbox* inbox = nullptr;
    must(natsInbox_Create(&inbox), "inbox");
    inbox_ = inbox;
    natsInbox_Destroy(inbox);
    must(natsConnection_SubscribeSync(&subscription_, link_.connection(), inbox_.c_str()), "subscribe");
  }
  ~JetStreamReceiver() override { natsSubscription_Destroy(subscription_); }

  std::size_t take(std::chrono::milliseconds wait, const Each& each) override {
    if (asked_ < kPull / 2) {
      const std::string request = "{\"batch\":" + std::to_string(kPull) + "}";
      must(natsConnection_PublishRequestString(link_.connection(), next_.c_str(), inbox_.c_str(), request.c_str()),
           "pull");
      asked_ += kPull;
    }
    std::size_t count = 0;
    std::string acknowledge;
    for (; count < kBatch; ++count) {
      natsMsg* record = nullptr;
      const natsStatus status = natsSubscription_NextMsg(&record, subscription_, count == 0 ? wait.count() : 0);
      if (status == NATS_TIMEOUT) break;
      must(status, "receive");
      const char* reply = natsMsg_GetReply(record);
      if (reply != nullptr) {
        acknowledge = reply;
        each({natsMsg_GetData(record), static_cast<std::size_t>(natsMsg_GetDataLength(record))});
      }
      natsMsg_Destroy(record);
      if (reply == nullptr) throw std::runtime_error("JetStream: the server refused a pull");
    }
    asked_ -= count;
    if (count != 0) must(natsConnection_PublishString(link_.connection(), acknowledge.c_str(), "+ACK"), "acknowledge");
    return count;
  }

 private:
  Link link_;
  std::string next_, inbox_;
  natsSubscription* subscription_ = nullptr;
  std::size_t asked_ = 0;  // records that the server may still send
};

class JetStream : public Peer {
 public:
  using Peer::Peer;

  std::string name() const override { return "jetstream"; }
  std::string title() const override { return "NATS JetStream, one server, file store, pull consumer"; }
  Guarantee guarantee() const override {
    return {"handed to the operating system, synced in the background about once a minute", false, encryption(), false};
  }
  const char* binary() const override { return "nats-server"; }
  const char* package() const override { return "nats-server"; }

  void declare(const std::string& queue) override {
    Link link(port(), site().certificate, tls());
    const char* subject = queue.c_str();
    jsStreamConfig stream;
    jsStreamConfig_Init(&stream);
    stream.Name = queue.c_str();
    stream.Subjects = &subject;
    stream.SubjectsLen = 1;
    stream.Storage = js_FileStorage;
    must(js_AddStream(nullptr, link.context(), &stream, nullptr, nullptr), "stream");
    jsConsumerConfig consumer;
    jsConsumerConfig_Init(&consumer);
    consumer.Durable = "receiver";
    consumer.AckPolicy = js_AckAll;
    consumer.MaxAckPending = 65'536;
    must(js_AddConsumer(nullptr, link.context(), queue.c_str(), &consumer, nullptr, nullptr), "consumer");
  }
  std::unique_ptr<Sender> sender(const std::string& queue) override {
    return std::make_unique<JetStreamSender>(*this, site().certificate, tls(), queue);
  }
  std::unique_ptr<Receiver> receiver(const std::string& queue) override {
    return std::make_unique<JetStreamReceiver>(*this, site().certificate, tls(), queue);
  }
  std::uint64_t stored(const std::string& queue) override {
    Link link(port(), site().certificate, tls());
    jsStreamInfo* info = nullptr;
    must(js_GetStreamInfo(&info, link.context(), queue.c_str(), nullptr, nullptr), "stream");
    const std::uint64_t records = info->State.Msgs;
    jsStreamInfo_Destroy(info);
    return records;
  }

 protected:
  ServerCommand command() override {
    std::string text = "listen: \"127.0.0.1:" + std::to_string(port()) + "\"\njetstream { store_dir: \"" +
                       data().string() + "\", max_file_store: 64GB, max_memory_store: 1GB }\n";
    if (tls())
      text += "tls { cert_file: \"" + site().certificate.string() + "\", key_file: \"" + site().key.string() + "\" }\n";
    write_file(site().folder / "nats.conf", text);
    return {{binary(), "-c", (site().folder / "nats.conf").string()}, {}};
  }
};

}  // namespace

std::unique_ptr<Peer> make_jetstream(Site site) { return std::make_unique<JetStream>(std::move(site)); }

}  // namespace thalweg::bench
