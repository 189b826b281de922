#include "bench/peers/measure.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <stdexcept>
#include <thread>

namespace thalweg::bench {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr const char* kBulk = "bulk";
constexpr const char* kUrgent = "urgent";
constexpr auto kPatience = std::chrono::seconds(60);  // without a single record

double seconds_since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

Clock::duration seconds(double value) {
  return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(value));
}

double quantile(std::vector<double> values, double q) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  return values[std::min(values.size() - 1, static_cast<std::size_t>(q * static_cast<double>(values.size())))];
}

void nothing(std::string_view) {}

/// A thread whose exception is thrown again where it is joined.
class Task {
 public:
  explicit Task(std::function<void()> work)
      : thread_([this, work = std::move(work)] {
          try {
            work();
          } catch (...) {
            failure_ = std::current_exception();
            failed_ = true;
          }
        }) {}
  ~Task() {
    if (thread_.joinable()) thread_.join();
  }
  bool failed() const { return failed_; }
  void join() {
    thread_.join();
    if (failure_) std::rethrow_exception(failure_);
  }

 private:
  std::exception_ptr failure_;
  std::atomic<bool> failed_{false};
  std::thread thread_;
};

/// What another thread sees and steers of a flood.
struct Steering {
  std::atomic<bool> stop{false};
  std::atomic<std::uint64_t> sent{0};
  double rate = 0;  // records/s at most; 0: no bound
};

/// `count` records in batches of kBatch, kWindow of them under way.
void flood(Sender& sender, Payloads& payloads, std::size_t count, Steering* steering = nullptr) {
  const auto begin = Clock::now();
  std::size_t sent = 0;
  while (sent < count && (steering == nullptr || !steering->stop)) {
    const std::size_t now = std::min(kBatch, count - sent);
    if (steering != nullptr && steering->rate != 0)
      std::this_thread::sleep_until(begin + seconds(static_cast<double>(sent) / steering->rate));
    sender.send(payloads.batch(now));
    sent += now;
    if (steering != nullptr) steering->sent = sent;
    sender.settle((kWindow - 1) * kBatch);
  }
  sender.settle(0);
}

/// Takes until `count` records came; gives up when `sending` failed or nothing comes for a minute.
void drain(Receiver& receiver, std::size_t count, const Task* sending = nullptr) {
  auto last = Clock::now();
  for (std::size_t got = 0; got < count;) {
    const std::size_t now = receiver.take(milliseconds(500), nothing);
    got += now;
    if (now != 0) {
      last = Clock::now();
    } else if (Clock::now() - last > kPatience) {
      throw std::runtime_error(std::to_string(got) + " of " + std::to_string(count) + " records came");
    }
    if (sending != nullptr && sending->failed()) return;
  }
}

/// A server with these queues. RabbitMQ on a busy machine was seen to stand still in the middle of its start: once
/// more.
void begin(Peer& peer, std::initializer_list<const char*> queues) {
  for (int attempt = 1;; ++attempt) {
    peer.start();
    try {
      for (const char* queue : queues) peer.wait_until_declared(queue);
      return;
    } catch (const std::runtime_error&) {
      if (attempt == 3) throw;
      peer.kill();
    }
  }
}

std::vector<Figure> throughput(Peer& peer, const Sizes& sizes, Payloads::Kind kind) {
  begin(peer, {kBulk});
  Payloads payloads(kind);
  const auto sender = peer.sender(kBulk);
  const auto receiver = peer.receiver(kBulk);
  const auto from = Clock::now();
  Task sending([&] { flood(*sender, payloads, sizes.records); });
  drain(*receiver, sizes.records, &sending);
  sending.join();
  return {{"published, stored, received, acknowledged", "records/s",
           static_cast<double>(sizes.records) / seconds_since(from)}};
}

std::vector<Figure> confirmation(Peer& peer, const Sizes& sizes) {
  begin(peer, {kBulk});
  Payloads payloads;
  const auto sender = peer.sender(kBulk);
  const auto receiver = peer.receiver(kBulk);
  Task receiving([&] { drain(*receiver, sizes.singles); });
  std::vector<double> times;
  const auto from = Clock::now();
  for (std::size_t i = 0; i < sizes.singles && !receiving.failed(); ++i) {
    const auto record = payloads.batch(1);
    std::this_thread::sleep_until(from + seconds(static_cast<double>(i) / 2000));
    const auto sent = Clock::now();
    sender->send(record);
    sender->settle(0);
    times.push_back(seconds_since(sent) * 1e6);
  }
  receiving.join();
  return {{"confirmed at 2,000 single records/s, p50", "us", quantile(times, 0.5)},
          {"confirmed at 2,000 single records/s, p99", "us", quantile(times, 0.99)}};
}

std::vector<Figure> urgent(Peer& peer, const Sizes& sizes) {
  begin(peer, {kBulk, kUrgent});
  Steering steering;
  steering.rate = sizes.bulk_rate;
  std::atomic<std::uint64_t> received{0};
  std::vector<std::atomic<Clock::rep>> arrived(sizes.urgent);
  Payloads bulk, notices;
  const auto bulk_sender = peer.sender(kBulk), sender = peer.sender(kUrgent);
  const auto bulk_receiver = peer.receiver(kBulk), receiver = peer.receiver(kUrgent);

  Task flooding([&] { flood(*bulk_sender, bulk, SIZE_MAX, &steering); });
  Task taking([&] {
    while (!steering.stop) received += bulk_receiver->take(milliseconds(100), nothing);
  });
  std::size_t came = 0;
  Task watching([&] {
    auto last = Clock::now();
    while (came < sizes.urgent && Clock::now() - last < kPatience && !steering.stop) {
      const std::size_t now = receiver->take(milliseconds(500), [&](std::string_view record) {
        const std::size_t number = Payloads::number_of(record);
        if (number < arrived.size()) arrived[number] = Clock::now().time_since_epoch().count();
      });
      came += now;
      if (now != 0) last = Clock::now();
    }
  });

  std::vector<Clock::time_point> sent(sizes.urgent);
  const auto from = Clock::now();
  std::exception_ptr failure;
  double lasted = 0;
  std::uint64_t published_then = 0, received_then = 0;
  try {
    for (std::size_t i = 0; i < sizes.urgent && !flooding.failed() && !taking.failed() && !watching.failed(); ++i) {
      std::this_thread::sleep_until(from + milliseconds(50) * (i + 1));
      const std::string& notice = notices.marked(i);
      sent[i] = Clock::now();
      sender->send({&notice, 1});
      sender->settle(0);
    }
    lasted = seconds_since(from);
    published_then = steering.sent;
    received_then = received;
    if (!flooding.failed() && !taking.failed() && !watching.failed()) watching.join();
  } catch (...) {
    failure = std::current_exception();
  }
  steering.stop = true;
  if (failure) std::rethrow_exception(failure);
  if (flooding.failed()) flooding.join();
  if (taking.failed()) taking.join();
  if (came < sizes.urgent) throw std::runtime_error("an urgent record did not come within a minute");
  std::vector<double> times;
  for (std::size_t i = 0; i < sizes.urgent; ++i)
    times.push_back(
        std::chrono::duration<double, std::micro>(Clock::duration(arrived[i]) - sent[i].time_since_epoch()).count());
  return {{"urgent received under bulk, p50", "us", quantile(times, 0.5)},
          {"urgent received under bulk, p99", "us", quantile(times, 0.99)},
          {"urgent received under bulk, p99.9", "us", quantile(times, 0.999)},
          {"  bulk published meanwhile", "records/s", static_cast<double>(published_then) / lasted},
          {"  bulk received and acknowledged meanwhile", "records/s", static_cast<double>(received_then) / lasted}};
}

std::vector<Figure> behind(Peer& peer, const Sizes& sizes) {
  begin(peer, {kBulk});
  Payloads payloads;
  flood(*peer.sender(kBulk), payloads, sizes.behind);
  const auto from = Clock::now();
  drain(*peer.receiver(kBulk), sizes.behind);
  return {{"catching up", "records/s", static_cast<double>(sizes.behind) / seconds_since(from)}};
}

std::vector<Figure> restart(Peer& peer, const Sizes& sizes) {
  begin(peer, {kBulk});
  Payloads payloads;
  flood(*peer.sender(kBulk), payloads, sizes.behind);
  const double before = static_cast<double>(peer.server().resident_bytes());
  peer.kill();
  const std::string one = payloads.batch(1)[0];
  const auto from = Clock::now();
  peer.start();
  peer.wait_until_confirmed(kBulk, one);
  const double took = seconds_since(from);
  const double after = static_cast<double>(peer.server().resident_bytes());
  const auto kept = static_cast<double>(std::min<std::uint64_t>(peer.stored(kBulk), sizes.behind));
  return {{"restart after SIGKILL until a record is confirmed", "ms", took * 1e3},
          {"  records still there", "%", 100 * kept / static_cast<double>(sizes.behind)},
          {"  memory before the kill", "MB", before / 1e6},
          {"  memory after the restart", "MB", after / 1e6}};
}

std::vector<Figure> bytes(Peer& peer, const Sizes& sizes, Payloads::Kind kind) {
  begin(peer, {kBulk});
  Payloads payloads(kind);
  const auto count = static_cast<double>(sizes.bytes);
  const double payload = static_cast<double>(payloads.batch(1)[0].size());
  const auto empty = disk_bytes(peer.data());
  double in = 0, out = 0;
  {
    const auto sender = peer.sender(kBulk);
    const auto before = wire_bytes(peer.port());
    flood(*sender, payloads, sizes.bytes);
    in = static_cast<double>(wire_bytes(peer.port()) - before);
  }
  peer.write_out();
  std::uint64_t disk = disk_bytes(peer.data());
  for (int quiet = 0; quiet < 5; ++quiet) {  // a server may still be writing
    std::this_thread::sleep_for(milliseconds(300));
    const std::uint64_t now = disk_bytes(peer.data());
    if (now != disk) quiet = 0;
    disk = now;
  }
  {
    const auto receiver = peer.receiver(kBulk);
    const auto before = wire_bytes(peer.port());
    drain(*receiver, sizes.bytes);
    out = static_cast<double>(wire_bytes(peer.port()) - before);
  }
  return {{"payload", "bytes", payload},
          {"on disk, a record stored once", "bytes", static_cast<double>(disk - std::min(disk, empty)) / count},
          {"on the wire, sender to server and back", "bytes", in / count},
          {"on the wire, server to receiver and back", "bytes", out / count}};
}

}  // namespace

const std::vector<Measure>& measures() {
  static const std::vector<Measure> kAll = {
      {"throughput", "records of readings, batches of 256, 16 of them under way",
       [](Peer& peer, const Sizes& sizes) { return throughput(peer, sizes, Payloads::Kind::kReadings); }},
      {"random", "the same with data that does not compress",
       [](Peer& peer, const Sizes& sizes) { return throughput(peer, sizes, Payloads::Kind::kRandom); }},
      {"confirmation", "single records, 2,000 a second, from sending to hearing yes", confirmation},
      {"urgent", "20 urgent records a second in a queue of their own, from sending to having it, while bulk saturates",
       urgent},
      {"behind", "a receiver that was away reads all and acknowledges", behind},
      {"restart", "killed with the records stored and unread", restart},
      {"bytes", "bytes of a record: blocks of the data folder, TCP payload of both directions",
       [](Peer& peer, const Sizes& sizes) { return bytes(peer, sizes, Payloads::Kind::kReadings); }},
      {"bytes-random", "the same with data that does not compress",
       [](Peer& peer, const Sizes& sizes) { return bytes(peer, sizes, Payloads::Kind::kRandom); }},
  };
  return kAll;
}

}  // namespace thalweg::bench
