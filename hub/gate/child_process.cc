// child_process.cc: see child_process.h.
#include "gate/child_process.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <optional>

extern char** environ;

namespace thalweg::gate {
namespace {

constexpr std::size_t kMaxLine = 4096;

Error os_error(std::string_view what, int number) {
  const bool no_room = number == EMFILE || number == ENFILE || number == EAGAIN || number == ENOMEM;
  const Code code = number == ENOENT                      ? Code::kNotFound
                    : number == EACCES || number == EPERM ? Code::kDenied
                    : no_room                             ? Code::kBusy
                                                          : Code::kIo;
  return {code, std::string(what) + ": " + ::strerror(number)};
}

struct Pipe {
  int read = -1;
  int write = -1;
  ~Pipe() {
    if (read >= 0) ::close(read);
    if (write >= 0) ::close(write);
  }
  Status open() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return os_error("pipe", errno);
    read = ends[0];
    write = ends[1];
    return {};
  }
};

// The service manager's sockets are the gate's: a plugin must not speak for it.
std::vector<char*> environment() {
  std::vector<char*> out;
  for (char** at = environ; *at != nullptr; ++at) {
    const std::string_view entry(*at);
    if (!entry.starts_with("NOTIFY_SOCKET=") && !entry.starts_with("WATCHDOG_")) out.push_back(*at);
  }
  out.push_back(nullptr);
  return out;
}

}  // namespace

std::string ChildExit::text() const {
  if (!signalled) return "exit code " + std::to_string(code);
  const char* name = ::sigabbrev_np(code);
  return "signal " + (name != nullptr ? "SIG" + std::string(name) : std::to_string(code));
}

struct ChildProcess::Impl : std::enable_shared_from_this<Impl> {
  Impl(boost::asio::io_context& io, ChildOptions o) : options(std::move(o)), end(io), lines(io) {}

  void read_lines() {
    lines.async_read_some(boost::asio::buffer(buffer),
                          [self = shared_from_this()](const auto& error, std::size_t size) {
                            if (error || self->gone) return;
                            self->take({self->buffer.data(), size});
                            self->read_lines();
                          });
  }
  void take(std::string_view text) {
    for (const char c : text) {
      if (c == '\n' || line.size() >= kMaxLine) flush_line();
      if (c != '\n') line += c;
    }
  }
  void flush_line() {
    if (!line.empty() && options.on_line) options.on_line(line);
    line.clear();
  }
  void wait_end() {
    end.async_wait(boost::asio::posix::descriptor_base::wait_read, [self = shared_from_this()](const auto& error) {
      if (error || self->gone) return;
      self->reap();
    });
  }
  void reap() {
    siginfo_t info{};
    if (::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG) != 0 || info.si_pid == 0) return wait_end();
    pid_t ended = pid;
    pid = -1;
    (void)ended;
    // Its last words are in the pipe already.
    std::array<char, 4096> rest;
    for (ssize_t n; (n = ::read(lines.native_handle(), rest.data(), rest.size())) > 0;) {
      take({rest.data(), static_cast<std::size_t>(n)});
    }
    flush_line();
    close();
    ChildExit exit{info.si_code != CLD_EXITED, info.si_status};
    auto done = std::move(options.on_exit);
    if (done) done(exit);
  }
  void close() {
    boost::system::error_code ignored;
    end.close(ignored);
    lines.close(ignored);
  }

  ChildOptions options;
  pid_t pid = -1;
  bool gone = false;
  boost::asio::posix::stream_descriptor end;
  boost::asio::posix::stream_descriptor lines;
  std::array<char, 4096> buffer{};
  std::string line;
};

Result<std::unique_ptr<ChildProcess>> ChildProcess::start(boost::asio::io_context& io, ChildOptions options) {
  Pipe secret, errors;
  TW_TRY(secret.open());
  TW_TRY(errors.open());
  if (::write(secret.write, options.secret.data(), options.secret.size()) !=
      static_cast<ssize_t>(options.secret.size())) {
    return os_error("pipe", errno);
  }
  ::posix_spawn_file_actions_t actions;
  ::posix_spawnattr_t attributes;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawnattr_init(&attributes);
  ::posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
  ::posix_spawn_file_actions_adddup2(&actions, errors.write, 2);
  ::posix_spawn_file_actions_adddup2(&actions, secret.read, 3);
  ::posix_spawn_file_actions_addclosefrom_np(&actions, 4);
  sigset_t none, all;
  ::sigemptyset(&none);
  ::sigfillset(&all);
  ::posix_spawnattr_setsigmask(&attributes, &none);
  ::posix_spawnattr_setsigdefault(&attributes, &all);
  ::posix_spawnattr_setpgroup(&attributes, 0);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);

  const std::string program = options.program.string();
  std::vector<char*> arguments{const_cast<char*>(program.c_str())};
  for (const std::string& argument : options.arguments) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  std::vector<char*> variables = environment();
  pid_t pid = -1;
  const int failed = ::posix_spawn(&pid, program.c_str(), &actions, &attributes, arguments.data(), variables.data());
  ::posix_spawn_file_actions_destroy(&actions);
  ::posix_spawnattr_destroy(&attributes);
  if (failed != 0) return os_error(program, failed);

  auto impl = std::make_shared<Impl>(io, std::move(options));
  std::unique_ptr<ChildProcess> self(new ChildProcess(impl));
  impl->pid = pid;
  const int descriptor = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
  if (descriptor < 0) return os_error("pidfd_open", errno);
  impl->end.assign(descriptor);
  ::fcntl(errors.read, F_SETFL, O_NONBLOCK);
  impl->lines.assign(std::exchange(errors.read, -1));
  impl->read_lines();
  impl->wait_end();
  return self;
}

ChildProcess::~ChildProcess() {
  impl_->gone = true;
  if (impl_->pid > 0) {
    ::kill(impl_->pid, SIGKILL);
    int status = 0;
    while (::waitpid(impl_->pid, &status, 0) < 0 && errno == EINTR) {
    }
  }
  impl_->close();
}

pid_t ChildProcess::pid() const { return impl_->pid; }

void ChildProcess::signal(int number) {
  if (impl_->pid > 0) ::kill(impl_->pid, number);
}

}  // namespace thalweg::gate
