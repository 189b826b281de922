// service.cc: what systemd does for a unit of Type=notify, for the test that has no systemd: starts a command, waits
// until it says READY=1, and stays behind to notice its end.
// usage: operate-service SOCKET PID_FILE LOG COMMAND...    0: it is ready; 1: it ended or said nothing for a minute
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>

namespace {

[[noreturn]] void fail(const char* what) {
  std::perror(what);
  std::_Exit(1);
}

/// Where the service reports; every user of the machine may write to it.
int listen_at(const char* path) {
  ::unlink(path);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
  const int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0 || ::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) fail(path);
  ::chmod(path, 0666);
  return fd;
}

pid_t start(const char* notify, const char* log, char** command) {
  const pid_t pid = ::fork();
  if (pid < 0) fail("fork");
  if (pid > 0) return pid;
  const int in = ::open("/dev/null", O_RDONLY);
  const int out = ::open(log, O_WRONLY | O_CREAT | O_APPEND, 0644);
  ::dup2(in, 0);
  ::dup2(out, 1);
  ::dup2(out, 2);
  ::setenv("NOTIFY_SOCKET", notify, 1);
  if (::chdir("/") != 0) std::_Exit(126);
  ::execvp(command[0], command);
  std::perror(command[0]);
  std::_Exit(127);
}

/// Reports to `ready` once, then reads on: a watchdog's message must find somebody.
void look_after(pid_t pid, int socket, int ready, const char* pid_file) {
  using Clock = std::chrono::steady_clock;
  const auto patience = Clock::now() + std::chrono::minutes(1);
  for (;;) {
    siginfo_t ended{};
    if (::waitid(P_PID, static_cast<id_t>(pid), &ended, WEXITED | WNOHANG | WNOWAIT) == 0 && ended.si_pid == pid) break;
    pollfd one{socket, POLLIN, 0};
    if (::poll(&one, 1, 50) == 1) {
      char text[512];
      const ssize_t size = ::recv(socket, text, sizeof text, 0);
      if (ready >= 0 && size > 0 && std::string_view(text, static_cast<std::size_t>(size)).starts_with("READY=1")) {
        (void)!::write(ready, "r", 1);
        ::close(ready);
        ready = -1;
      }
    }
    if (ready >= 0 && Clock::now() > patience) ::kill(pid, SIGKILL);
  }
  // Before its end can be seen by others: who then starts it anew has written a file of his own.
  ::unlink(pid_file);
  (void)::waitpid(pid, nullptr, 0);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 5) return 64;
  int ready[2];
  if (::pipe2(ready, O_CLOEXEC) != 0) fail("pipe");
  const int socket = listen_at(argv[1]);
  const pid_t keeper = ::fork();
  if (keeper < 0) fail("fork");
  if (keeper == 0) {
    ::setsid();  // the terminal that it was typed in goes away
    ::close(ready[0]);
    const pid_t pid = start(argv[1], argv[3], argv + 4);
    if (FILE* file = std::fopen(argv[2], "w")) {
      std::fprintf(file, "%d\n", static_cast<int>(pid));
      std::fclose(file);
    }
    const int log = ::open("/dev/null", O_RDWR);
    for (const int fd : {0, 1, 2}) ::dup2(log, fd);
    look_after(pid, socket, ready[1], argv[2]);
    return 0;
  }
  ::close(ready[1]);
  char said = 0;
  return ::read(ready[0], &said, 1) == 1 ? 0 : 1;
}
