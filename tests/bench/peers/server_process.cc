#include "bench/peers/server_process.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <fstream>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string_view>
#include <thread>

#include "support/free_ports.h"

namespace thalweg::bench {
namespace {

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> out;
  for (std::string& text : texts) out.push_back(text.data());
  out.push_back(nullptr);
  return out;
}

/// Everything is prepared before fork(): between it and exec() only calls that are safe there.
pid_t spawn(const ServerCommand& command, int output) {
  const Path program = find_program(command.arguments.at(0));
  if (program.empty()) throw std::runtime_error(command.arguments[0] + " is not installed");
  std::vector<std::string> arguments = command.arguments, environment = command.environment;
  for (char** one = environ; *one != nullptr; ++one) {
    const std::string_view name(*one, std::strcspn(*one, "=") + 1);
    bool replaced = false;
    for (const std::string& own : command.environment) replaced = replaced || own.starts_with(name);
    if (!replaced) environment.emplace_back(*one);
  }
  const auto argv = pointers(arguments), envp = pointers(environment);
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) throw std::runtime_error("fork failed");
  if (pid != 0) return pid;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(127);
  ::setpgid(0, 0);  // a Ctrl-C is for the program that measures; it ends its servers itself
  const int nothing = ::open("/dev/null", O_RDONLY);
  ::dup2(nothing, 0);
  ::dup2(output, 1);
  ::dup2(output, 2);
  ::execve(program.c_str(), argv.data(), envp.data());
  ::_exit(127);
}

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

}  // namespace

void ServerProcess::start(const ServerCommand& command, const Path& log) {
  kill();
  log_ = log;
  const int output = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (output < 0) throw std::runtime_error("cannot write " + log.string());
  try {
    pid_ = spawn(command, output);
  } catch (...) {
    ::close(output);
    throw;
  }
  ::close(output);
}

bool ServerProcess::ended(int options) {
  if (pid_ < 0) return true;
  pid_t got = 0;
  do {
    got = ::waitpid(pid_, nullptr, options);
  } while (got < 0 && errno == EINTR);
  if (got == 0) return false;
  pid_ = -1;
  return true;
}

bool ServerProcess::runs() { return !ended(WNOHANG); }

void ServerProcess::signal(int number) const {
  if (pid_ > 0) ::kill(pid_, number);
}

void ServerProcess::kill() {
  signal(SIGKILL);
  ended(0);
}

void ServerProcess::stop() {
  signal(SIGTERM);
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (runs() && std::chrono::steady_clock::now() < end) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  kill();
}

std::uint64_t ServerProcess::resident_bytes() const {
  std::ifstream status("/proc/" + std::to_string(pid_) + "/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("VmRSS:")) return std::stoull(line.substr(6)) * 1024;
  return 0;
}

std::string ServerProcess::last_words() const {
  std::ifstream in(log_);
  std::ostringstream text;
  text << in.rdbuf();
  std::string all = text.str();
  return all.size() > 2000 ? all.substr(all.size() - 2000) : all;
}

Path find_program(const std::string& name) {
  if (name.find('/') != std::string::npos) return ::access(name.c_str(), X_OK) == 0 ? Path(name) : Path();
  const char* path = std::getenv("PATH");
  std::istringstream folders(std::string(path == nullptr ? "" : path) + ":/usr/sbin:/sbin");
  for (std::string folder; std::getline(folders, folder, ':');) {
    const Path candidate = Path(folder.empty() ? "." : folder) / name;
    if (::access(candidate.c_str(), X_OK) == 0) return candidate;
  }
  return {};
}

std::string run_program(const ServerCommand& command) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("pipe failed");
  const pid_t pid = spawn(command, ends[1]);
  ::close(ends[1]);
  std::string output;
  char buffer[4096];
  for (ssize_t got = 0; (got = ::read(ends[0], buffer, sizeof buffer)) != 0;) {
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) break;
    output.append(buffer, static_cast<std::size_t>(got));
  }
  ::close(ends[0]);
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) continue;
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
    throw std::runtime_error(command.arguments[0] + " failed: " + output);
  return output;
}

std::uint16_t free_port() {
  if (const auto port = free_ports()) return *port;
  throw std::runtime_error("no free port");
}

bool accepts(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = loopback(port);
  const bool yes = fd >= 0 && ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  ::close(fd);
  return yes;
}

void write_file(const Path& path, const std::string& text) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out << text;
  out.close();
  if (!out) throw std::runtime_error("cannot write " + path.string());
}

void make_certificate(const Path& certificate, const Path& key) {
  run_program({{"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days",
                "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout",
                key.string(), "-out", certificate.string()},
               {}});
}

std::uint64_t disk_bytes(const Path& folder) {
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return 0;
  ::syncfs(fd);  // blocks are counted only once they have a place
  ::close(fd);
  std::uint64_t blocks = 0;
  std::error_code ignored;
  for (const auto& one : std::filesystem::recursive_directory_iterator(folder, ignored)) {
    struct stat status {};
    if (::lstat(one.path().c_str(), &status) == 0) blocks += static_cast<std::uint64_t>(status.st_blocks);
  }
  return blocks * 512;
}

std::uint64_t wire_bytes(std::uint16_t port) {
  std::uint64_t bytes = 0;
  std::set<std::uint16_t> counted;  // by own port: a connection may have several descriptors
  std::error_code ignored;
  for (const auto& one : std::filesystem::directory_iterator("/proc/self/fd", ignored)) {
    const int fd = std::stoi(one.path().filename().string());
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    if (::getpeername(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) continue;
    std::uint16_t there = 0;
    if (address.ss_family == AF_INET) there = ntohs(reinterpret_cast<const sockaddr_in&>(address).sin_port);
    if (address.ss_family == AF_INET6) there = ntohs(reinterpret_cast<const sockaddr_in6&>(address).sin6_port);
    if (there != port) continue;
    size = sizeof address;
    if (::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) continue;
    const std::uint16_t here = address.ss_family == AF_INET6
                                   ? ntohs(reinterpret_cast<const sockaddr_in6&>(address).sin6_port)
                                   : ntohs(reinterpret_cast<const sockaddr_in&>(address).sin_port);
    tcp_info info{};
    size = sizeof info;
    if (counted.insert(here).second && ::getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) == 0)
      bytes += info.tcpi_bytes_acked + info.tcpi_bytes_received;
  }
  return bytes;
}

}  // namespace thalweg::bench
