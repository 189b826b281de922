// link_rig.h: a hub and gates in the test process, each on its own loop, with what came to them.
#pragma once

#include <catch2/catch.hpp>
#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <zmq.hpp>

#include "base/loop.h"
#include "link/gate_link.h"
#include "link/hub_link.h"

namespace thalweg::link {

inline constexpr auto kPatience = std::chrono::seconds(60);  // a deadline for broken code, never waited for otherwise

struct KeyPair {
  KeyPair() {
    char pub[41], sec[41];
    zmq_curve_keypair(pub, sec);
    public_z85 = pub;
    secret_z85 = sec;
  }
  std::string public_z85, secret_z85;
};

/// Things that happen on other threads, to be waited for.
class Happenings {
 public:
  template <class Change>
  void change(Change change) {
    {
      const std::lock_guard lock(mutex_);
      change();
    }
    changed_.notify_all();
  }
  /// True once `true_now` is; false after kPatience.
  template <class Condition>
  bool wait(Condition true_now) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kPatience, true_now);
  }
  template <class Look>
  auto look(Look look) {
    const std::lock_guard lock(mutex_);
    return look();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
};

inline SharedBytes random_bytes(std::size_t size, std::uint32_t seed = 1) {
  Bytes bytes(size);
  for (auto& b : bytes) {
    seed = seed * 1664525u + 1013904223u;
    b = static_cast<std::uint8_t>(seed >> 24);
  }
  return std::make_shared<const Bytes>(std::move(bytes));
}

/// A hub that takes every parcel with the next number and acknowledges it at once.
struct HubRig {
  using Setup = std::function<void(HubLinkOptions&, HubLinkEvents&)>;

  explicit HubRig(const Setup& setup = {}) {
    loop.start();
    options.endpoint = "tcp://127.0.0.1:*";
    options.curve_secret_z85 = keys.secret_z85;
    options.heartbeat_ms = 1000;
    options.watch_ms = 10;
    options.pool = AssemblyPool::make({});
    options.allow = [this](std::string_view key, std::string_view) -> std::optional<UserId> {
      return seen.look([&]() -> std::optional<UserId> {
        const auto at = allowed.find(std::string(key));
        if (at == allowed.end()) return std::nullopt;
        return at->second;
      });
    };
    events.on_hello = [this](const Session& session) { hello(session); };
    events.on_parcel = [this](const Session& session, Assembled parcel) { parcel_came(session, std::move(parcel)); };
    events.on_settle = [this](const Session&, const Settle& settle) {
      seen.change([&] { settles.push_back(settle); });
    };
    events.on_lookup = [this](const Session& session, const Lookup& lookup) {
      Found found;
      found.request = lookup.request;
      found.records.resize(lookup.records.size(), {true, 7, {}});
      found.numbers.resize(lookup.numbers.size());
      link->found(session.handle, found);
    };
    events.on_closed = [this](const Session& session, Code code) {
      seen.change([&] {
        closed.push_back(code);
        sessions.erase(session.handle);
      });
    };
    events.on_room = [this](const Session& session) { feed(session.handle); };
    events.on_fatal = [this](const Error& error) { seen.change([&] { fatal = error.code; }); };
    if (setup) setup(options, events);
    loop.run([&] {
      auto started = HubLink::start(loop, system_clock(), options, events);
      if (started) {
        link = *std::move(started);
      } else {
        start_error = started.error().code;
      }
    });
  }
  ~HubRig() {
    if (link) link->stop();
  }

  void hello(const Session& session) {
    Welcome welcome;
    seen.change([&] {
      sessions[session.handle] = session;
      ++hellos;
      welcome.accepted_head = parcels[session.user].size();
    });
    link->welcome(session.handle, welcome);
  }
  void parcel_came(const Session& session, Assembled parcel) {
    bool next = false;
    std::uint64_t number = parcel.number;
    seen.change([&] {
      auto& mine = parcels[session.user];
      next = number == mine.size() + 1;
      if (next) mine.push_back(std::move(parcel.bytes));
    });
    parcel.share.release();
    Ack ack;
    ack.number = number;
    ack.code = next ? Code::kOk : Code::kParcelGap;
    link->ack(session.handle, ack);
  }
  /// Delivers what stands in `to_deliver`, in order.
  void feed(SessionHandle session) {
    for (;;) {
      SharedBytes next;
      std::uint64_t sequence = 0;
      seen.look([&] {
        const auto at = sessions.find(session);
        if (at == sessions.end()) return;
        const std::uint64_t done = std::max(delivered[session], at->second.hello.inbox_sequence);
        if (done >= to_deliver.size()) return;
        next = to_deliver[done];
        sequence = done + 1;
      });
      if (!next || !link->deliver(session, sequence, next)) return;
      seen.change([&] { delivered[session] = sequence; });
    }
  }
  void allow(const KeyPair& gate, const UserId& user) {
    seen.change([&] { allowed[gate.public_z85] = user; });
  }
  HubLinkCounters counters() {
    return loop.run([this] { return link->counters(); });
  }
  /// Asks the counters again and again, as they change without an event.
  template <class Condition>
  bool wait_counters(Condition condition) {
    const auto until = std::chrono::steady_clock::now() + kPatience;
    while (std::chrono::steady_clock::now() < until)
      if (condition(counters())) return true;
    return false;
  }
  std::uint16_t port() const {
    return static_cast<std::uint16_t>(std::stoi(link->endpoint().substr(link->endpoint().rfind(':') + 1)));
  }

  Loop loop{"test-hub"};
  KeyPair keys;
  HubLinkOptions options;
  HubLinkEvents events;
  Happenings seen;
  std::map<std::string, UserId> allowed;
  std::map<SessionHandle, Session> sessions;
  std::map<UserId, std::vector<Bytes>> parcels;
  std::vector<SharedBytes> to_deliver;
  std::map<SessionHandle, std::uint64_t> delivered;
  std::vector<Settle> settles;
  std::vector<Code> closed;
  std::optional<Code> fatal, start_error;
  int hellos = 0;
  std::unique_ptr<HubLink> link;
};

/// A gate that sends all its parcels and takes in what is delivered.
struct GateRig {
  using Setup = std::function<void(GateLinkOptions&, GateLinkEvents&)>;

  GateRig(HubRig& hub, std::string party_code, std::vector<std::string> endpoints, const Setup& setup = {},
          bool enrol = true)
      : party(std::move(party_code)) {
    if (enrol) hub.allow(keys, party + "/gate-1");
    loop.start();
    for (const std::string& endpoint : endpoints) options.hubs.push_back({endpoint, hub.keys.public_z85});
    options.curve_public_z85 = keys.public_z85;
    options.curve_secret_z85 = keys.secret_z85;
    options.heartbeat_ms = 1000;
    options.backoff_first_ms = 10;
    options.backoff_most_ms = 50;
    events.make_hello = [this] {
      Hello hello;
      hello.party = party;
      hello.gate = "gate-1";
      hello.incarnation = incarnation;
      hello.program = "test";
      seen.change([&] {
        ++hellos;
        hello.inbox_sequence = inbox.size();
      });
      return hello;
    };
    events.on_welcome = [this](const Welcome& welcome) {
      seen.change([&] {
        next = welcome.accepted_head + 1;
        welcomes.push_back(welcome);
      });
      send();
      return Code::kOk;
    };
    events.on_ack = [this](const Ack& ack) { seen.change([&] { acks.push_back(ack); }); };
    events.on_delivery = [this](std::uint64_t sequence, Bytes bytes) {
      const std::size_t size = bytes.size();
      seen.change([&] {
        if (sequence == inbox.size() + 1) inbox.push_back(std::move(bytes));
      });
      if (take_at_once && link) link->taken(size);  // it may come before the link stands below
    };
    events.on_found = [this](const Found& answer) { seen.change([&] { found = answer; }); };
    events.on_progress = [this](const Progress& p) { seen.change([&] { progress.push_back(p); }); };
    events.on_document = [this](const Document& d) { seen.change([&] { documents.push_back(d); }); };
    events.on_room = [this] { send(); };
    events.on_down = [this](Code code, std::string_view, std::string_view) {
      seen.change([&] { downs.push_back(code); });
    };
    if (setup) setup(options, events);
    auto started = GateLink::start(loop, system_clock(), options, events);
    REQUIRE(started);
    // The loop may want it before start() has returned.
    loop.run([&] { link = *std::move(started); });
  }
  GateRig(HubRig& hub, std::string party_code, const Setup& setup = {}, bool enrol = true)
      : GateRig(hub, std::move(party_code), {hub.link->endpoint()}, setup, enrol) {}
  ~GateRig() { link->stop(); }

  void submit(SharedBytes parcel) {
    seen.change([&] { outbox.push_back(std::move(parcel)); });
    loop.post([this] { send(); });
  }
  void send() {
    for (;;) {
      SharedBytes parcel;
      std::uint64_t number = 0;
      seen.look([&] {
        if (next == 0 || next > outbox.size()) return;
        number = next;
        parcel = outbox[next - 1];
      });
      if (!parcel || !link || !link->send_parcel(number, parcel)) return;
      seen.look([&] { next = number + 1; });
    }
  }
  bool wait_acks(std::size_t n) {
    return seen.wait([&] { return acks.size() >= n; });
  }
  bool wait_down(Code code) {
    return seen.wait([&] { return std::find(downs.begin(), downs.end(), code) != downs.end(); });
  }
  /// Until the line ends because the hub stops: by BYE, unless a message of the gate was on its way; then TCP resets
  /// the line, and takes the BYE with it.
  bool wait_hub_stopped() {
    return seen.wait([&] { return !downs.empty(); }) &&
           seen.look([&] { return downs.front() == Code::kClosed || downs.front() == Code::kLinkLost; });
  }
  bool wait_welcomes(std::size_t n) {
    return seen.wait([&] { return welcomes.size() >= n; });
  }
  GateLinkCounters counters() {
    return loop.run([this] { return link->counters(); });
  }

  Loop loop{"test-gate"};
  KeyPair keys;
  std::string party;
  Uuid incarnation{{1, 2, 3}};
  GateLinkOptions options;
  GateLinkEvents events;
  Happenings seen;
  std::vector<SharedBytes> outbox;
  std::uint64_t next = 0;
  std::vector<Bytes> inbox;
  std::vector<Ack> acks;
  std::vector<Welcome> welcomes;
  std::vector<Progress> progress;
  std::vector<Document> documents;
  std::optional<Found> found;
  std::vector<Code> downs;
  int hellos = 0;
  bool take_at_once = true;
  std::unique_ptr<GateLink> link;
};

}  // namespace thalweg::link
