#include "bench/peers/peer.h"

#include <stdexcept>
#include <thread>

namespace thalweg::bench {
namespace {

constexpr std::chrono::seconds kStartLimit(60);     // on an empty folder
constexpr std::chrono::seconds kRestartLimit(180);  // a million records are read again

}  // namespace

std::string Guarantee::words() const {
  return heard_yes + (synced ? "; synced" : "; NOT synced") + ", " + (encrypted.empty() ? "not encrypted" : encrypted) +
         (compressed ? ", compressed" : ", not compressed");
}

Peer::Peer(Site site) : site_(std::move(site)), port_(free_port()) { std::filesystem::create_directories(data()); }

void Peer::start() {
  ServerCommand how = command();
  if (site_.sync_delay_ms != 0) {
    how.environment.push_back("LD_PRELOAD=" + site_.slow_sync.string());
    how.environment.push_back("THALWEG_SYNC_DELAY_US=" + std::to_string(site_.sync_delay_ms * 1000));
  }
  server_.start(how, site_.folder / "log");
}

void Peer::retry(std::chrono::seconds limit, const std::function<void()>& ask) {
  using Clock = std::chrono::steady_clock;
  const auto end = Clock::now() + limit;
  std::string why = "it does not listen";
  for (;;) {
    if (!server_.runs()) throw std::runtime_error(name() + " ended by itself: " + server_.last_words());
    if (Clock::now() > end) throw std::runtime_error(name() + " does not serve: " + why + "; " + server_.last_words());
    if (accepts(port_)) {
      try {
        ask();
        return;
      } catch (const std::runtime_error& error) {  // still loading, or not yet ready for logins
        why = error.what();
      }
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

void Peer::wait_until_declared(const std::string& queue) {
  retry(kStartLimit, [&] { declare(queue); });
}

void Peer::wait_until_confirmed(const std::string& queue, const std::string& record) {
  retry(kRestartLimit, [&] {
    const auto one = sender(queue);
    one->send({&record, 1});
    one->settle(0);
  });
}

void Peer::kill() { server_.kill(); }
void Peer::stop() { server_.stop(); }

std::span<const PeerKind> peer_kinds() {
  static constexpr PeerKind kKinds[] = {
      {"jetstream", &make_jetstream},
      {"redis", &make_redis},
      {"rabbitmq-classic", &make_rabbitmq_classic},
      {"rabbitmq-quorum", &make_rabbitmq_quorum},
      {"mosquitto", &make_mosquitto},
  };
  return kKinds;
}

}  // namespace thalweg::bench
