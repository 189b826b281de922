#include "storm/machine.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <thread>
#include <utility>

namespace thalweg::storm {

Machine::Machine(std::string name, Path program, Path folder)
    : name_(std::move(name)), program_(std::move(program)), folder_(std::move(folder)) {}
Machine::Machine(Machine&& other) noexcept
    : name_(other.name_),
      program_(other.program_),
      folder_(other.folder_),
      environment_(other.environment_),
      pid_(std::exchange(other.pid_, -1)),
      modest_(other.modest_) {}
Machine::~Machine() { kill(); }

Status Machine::start() {
  const std::string program = program_.string(), folder = folder_.string(), log_file = log().string();
  std::vector<char*> variables;
  for (char** at = environ; *at != nullptr; ++at) variables.push_back(*at);
  for (std::string& one : environment_) variables.push_back(one.data());
  variables.push_back(nullptr);
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child < 0) return Error{Code::kIo, std::strerror(errno)};
  if (child == 0) {  // only what is safe between fork and exec
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    const sched_param none{};
    if (modest_) (void)::sched_setscheduler(0, SCHED_IDLE, &none);
    if (::getppid() != parent) ::_exit(127);
    const int out = ::open(log_file.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
    if (out >= 0) {
      ::dup2(out, STDOUT_FILENO);
      ::dup2(out, STDERR_FILENO);
    }
    ::close_range(3, ~0U, 0);
    ::execle(program.c_str(), program.c_str(), folder.c_str(), static_cast<char*>(nullptr), variables.data());
    ::_exit(127);
  }
  pid_ = child;
  return {};
}

void Machine::kill() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
}

void Machine::hang() {
  if (pid_ > 0) ::kill(pid_, SIGSTOP);
}

void Machine::go_on() {
  if (pid_ > 0) ::kill(pid_, SIGCONT);
}

std::optional<int> Machine::stop(int seconds) {
  if (pid_ <= 0) return std::nullopt;
  ::kill(pid_, SIGTERM);
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
  while (std::chrono::steady_clock::now() < end) {
    int status = 0;
    if (::waitpid(pid_, &status, WNOHANG) == pid_) {
      pid_ = -1;
      return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  kill();
  return std::nullopt;
}

bool Machine::ended_by_itself(std::string& how) {
  int status = 0;
  if (pid_ <= 0 || ::waitpid(pid_, &status, WNOHANG) != pid_) return false;
  pid_ = -1;
  how = WIFEXITED(status) ? "exit status " + std::to_string(WEXITSTATUS(status))
                          : "signal " + std::to_string(WTERMSIG(status));
  return true;
}

}  // namespace thalweg::storm
