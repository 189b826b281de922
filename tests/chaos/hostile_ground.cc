#include "chaos/hostile_ground.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>

namespace thalweg::chaos {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kInsider = 0, kSender = 1, kReceiver = 2;  // 大足, 荣昌, 泸县
constexpr std::uint64_t kEndless = 1'000'000'000;
constexpr std::uint64_t kAhead = 4000;  // records that may be under way when nothing paces them
constexpr double kUrgentPerSecond = 10;

/// One HTTP request, its answer whole.
std::string get(std::uint16_t port, const std::string& path) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  to.sin_port = htons(port);
  const timeval patience{5, 0};
  (void)::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  std::string answer;
  const std::string request = "GET " + path + " HTTP/1.1\r\nHost: hub\r\n\r\n";
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0 &&
      ::send(fd, request.data(), request.size(), MSG_NOSIGNAL) > 0) {
    char buffer[16384];
    for (ssize_t n = 0; (n = ::recv(fd, buffer, sizeof buffer, 0)) > 0;)
      answer.append(buffer, static_cast<std::size_t>(n));
  }
  ::close(fd);
  return answer;
}

CurveKey curve_key(const std::string& z85) {
  const auto bytes = trust::z85_decode(z85);
  if (!bytes || bytes->size() != 32) throw std::runtime_error("no CURVE key: " + z85);
  CurveKey key{};
  std::copy(bytes->begin(), bytes->end(), key.begin());
  return key;
}

template <class T>
T must(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().message);
  return *std::move(result);
}

}  // namespace

Ground::Ground(Options options) : options_(std::move(options)), trial_(options_.trial) {}

bool Ground::set_up() {
  if (!trial_.set_up()) return false;
  (void)trial_.site().machines()[kInsider + 1].stop(20);
  trial_.add({kSender, Lane::kRoutine, {kInsider, kReceiver}}, kEndless, options_.rate);
  trial_.add({kSender, Lane::kUrgent, {kReceiver}}, kEndless, kUrgentPerSecond);
  return true;
}

Target Ground::target() const {
  const storm::Site& site = const_cast<Ground*>(this)->trial_.site();
  const Path keys = site.gate_folder(kInsider) / "keys";
  const auto curve = must(trust::CurveKeyPair::load(keys / "curve.key"));
  const CurveKey hub = curve_key(site.card().curve_z85);
  const CurveKeys insider{curve_key(curve.public_z85), curve_key(curve.secret_z85)};
  return {static_cast<std::uint16_t>(site.port() + (options_.urgent_port ? 1 : 0)),
          CurveIdentity(hub, CurveKeys::random()), CurveIdentity(hub, insider), storm::Site::gates()[kInsider].party,
          must(trust::SigningKey::load(keys / "signing.key"))};
}

Sample Ground::look() const {
  storm::Site& site = const_cast<Ground*>(this)->trial_.site();
  Sample sample;
  if (const auto records = site.inbox_records(kReceiver)) {
    sample.delivered = (*records)[0];
    sample.urgent = (*records)[1];
  }
  sample.at = SteadyClock::now();
  const std::string proc = "/proc/" + std::to_string(site.machines()[0].pid());
  std::ifstream statm(proc + "/statm");
  std::uint64_t pages = 0, resident = 0;
  statm >> pages >> resident;
  sample.hub_mib = static_cast<double>(resident) * static_cast<double>(::sysconf(_SC_PAGESIZE)) / (1 << 20);
  std::error_code none;
  for (auto it = std::filesystem::directory_iterator(proc + "/fd", none); !none && it != std::filesystem::end(it);
       it.increment(none))
    ++sample.hub_fds;
  return sample;
}

Samples Ground::watch(double seconds, const std::function<bool(const Samples&)>& enough) {
  Samples samples;
  const auto end =
      SteadyClock::now() + std::chrono::duration_cast<SteadyClock::duration>(std::chrono::duration<double>(seconds));
  for (;;) {
    trial_.watch();
    samples.push_back(look());
    if (samples.back().delivered == 0 && samples.size() > 1)
      samples.back().delivered = samples[samples.size() - 2].delivered;
    if (options_.rate == 0) trial_.origin(0).release(samples.back().delivered + kAhead);
    if (SteadyClock::now() > end || (enough && enough(samples))) return samples;
    std::this_thread::sleep_for(milliseconds(50));
  }
}

std::map<std::string, double> Ground::hub_figures() const {
  std::map<std::string, double> figures;
  std::istringstream lines(get(const_cast<Ground*>(this)->trial_.site().http_port(), "/metrics"));
  for (std::string line; std::getline(lines, line);) {
    const auto space = line.rfind(' ');
    if (!line.starts_with("thalweg_") || space == std::string::npos) continue;
    std::string name = line.substr(0, line.find_first_of("{ "));
    if (const auto code = line.find("code=\""); code != std::string::npos)
      name += " " + line.substr(code + 6, line.find('"', code + 6) - code - 6);
    figures[name] += std::atof(line.c_str() + space);
  }
  return figures;
}

double Ground::hub_cpu_seconds() const {
  const pid_t pid = const_cast<Ground*>(this)->trial_.site().machines()[0].pid();
  std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
  const std::string text((std::istreambuf_iterator<char>(stat)), {});
  std::istringstream fields(text.substr(std::min(text.size(), text.rfind(')') + 1)));
  std::string skipped;
  for (int i = 0; i < 11; ++i) fields >> skipped;
  double user = 0, system = 0;
  fields >> user >> system;
  return (user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

void Ground::restart_hub(std::uint64_t descriptors) {
  storm::Machine& hub = trial_.site().machines()[0];
  const auto status = hub.stop(20);
  if (!status || *status != 0) trial_.complain("the hub did not stop as it should");
  rlimit own{};
  ::getrlimit(RLIMIT_NOFILE, &own);
  const rlimit few{std::min<rlim_t>(descriptors, own.rlim_max), own.rlim_max};
  ::setrlimit(RLIMIT_NOFILE, &few);  // a child inherits it; nothing is opened here meanwhile
  trial_.start(hub);
  ::setrlimit(RLIMIT_NOFILE, &own);
}

void Ground::settle_down() {
  trial_.wait_until([&] { return look().delivered + kAhead / 10 > trial_.origin(0).accepted_count(); },
                    "the hub goes on", 60);
}

bool Ground::hub_log_has(const std::string& text) const {
  std::ifstream log(const_cast<Ground*>(this)->trial_.site().machines()[0].log());
  for (std::string line; std::getline(log, line);)
    if (line.find(text) != std::string::npos) return true;
  return false;
}

void Ground::finish() {
  trial_.start(trial_.site().machines()[kInsider + 1]);
  for (std::size_t i = 0; i < trial_.origins(); ++i) trial_.origin(i).close();
  trial_.finish();
}

double rate(const Sample& from, const Sample& to) {
  const double seconds = std::chrono::duration<double>(to.at - from.at).count();
  return seconds <= 0 ? 0 : (static_cast<double>(to.delivered) - static_cast<double>(from.delivered)) / seconds;
}

double rate(const Samples& samples) { return samples.size() < 2 ? 0 : rate(samples.front(), samples.back()); }

}  // namespace thalweg::chaos
