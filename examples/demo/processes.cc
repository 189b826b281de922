#include "processes.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

namespace thalweg::demo {

Result<Program> Program::start(const std::vector<std::string>& command, const Path& log) {
  const int output = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (output < 0) return Error{Code::kIo, "cannot write " + log.string()};
  std::vector<char*> arguments;
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::dup2(output, 1);
    ::dup2(output, 2);
    ::execv(arguments[0], arguments.data());
    ::_exit(127);
  }
  ::close(output);
  if (pid < 0) return Error{Code::kUnavailable, "cannot start " + command.front()};
  Program program;
  program.pid_ = pid;
  return program;
}

void Program::stop() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGTERM);
  const bool ended = wait_until(
      [this] {
        const pid_t done = ::waitpid(pid_, nullptr, WNOHANG);
        return done == pid_ || done < 0;
      },
      std::chrono::seconds(10));
  if (!ended) return kill();
  pid_ = -1;
}

void Program::kill() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

int Program::wait() {
  int status = 0;
  const pid_t done = pid_ > 0 ? ::waitpid(pid_, &status, 0) : -1;
  pid_ = -1;
  return done > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

bool wait_until(const std::function<bool()>& yes, std::chrono::milliseconds most) {
  const auto end = std::chrono::steady_clock::now() + most;
  while (!yes()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return true;
}

namespace {

/// Holds a port while another is looked for; -1 when it is taken.
int bind_port(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  if (::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) return fd;
  ::close(fd);
  return -1;
}

}  // namespace

std::uint16_t free_port_pair() {
  for (int tries = 0; tries < 100; ++tries) {
    const int first = bind_port(0);
    if (first < 0) continue;
    sockaddr_in address{};
    socklen_t size = sizeof address;
    ::getsockname(first, reinterpret_cast<sockaddr*>(&address), &size);
    const std::uint16_t port = ntohs(address.sin_port);
    const int second = port < 65535 ? bind_port(static_cast<std::uint16_t>(port + 1)) : -1;
    ::close(first);
    if (second < 0) continue;
    ::close(second);
    return port;
  }
  return 0;
}

}  // namespace thalweg::demo
