// server_process.h: a foreign server as a child process, and what the system says of it: memory, files, bytes sent.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace thalweg::bench {

using Path = std::filesystem::path;

struct ServerCommand {
  std::vector<std::string> arguments;    ///< the first is looked for in the PATH
  std::vector<std::string> environment;  ///< NAME=value, beside what this process has
};

/// Ends with this process, whatever ends it.
class ServerProcess {
 public:
  ServerProcess() = default;
  ~ServerProcess() { kill(); }
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;

  /// Output goes to the end of the file `log`. Throws when there is no such program.
  void start(const ServerCommand& command, const Path& log);
  bool runs();
  void signal(int number) const;
  /// SIGKILL, and waits for the end; nothing when none runs.
  void kill();
  /// SIGTERM; SIGKILL after 20 s.
  void stop();
  std::uint64_t resident_bytes() const;
  /// The last lines of its log, for a person who wonders why it ended.
  std::string last_words() const;

 private:
  bool ended(int options);

  pid_t pid_ = -1;
  Path log_;
};

/// Where the shell would find it, also in /usr/sbin; empty when nowhere.
Path find_program(const std::string& name);
/// Runs a program to its end; throws with its output when it fails. Returns what it wrote.
std::string run_program(const ServerCommand& command);
/// A port of 127.0.0.1 that is free now, and none that the system gives to connections: a server that was killed must
/// find it again.
std::uint16_t free_port();
/// Whether somebody listens there.
bool accepts(std::uint16_t port);
void write_file(const Path& path, const std::string& text);

/// A certificate for localhost and 127.0.0.1, signed by itself, and its key, by the openssl program.
void make_certificate(const Path& certificate, const Path& key);

/// What `du` says: blocks that the files below take, after a sync of their file system.
std::uint64_t disk_bytes(const Path& folder);
/// TCP payload bytes, both directions, of this process's open connections to that port (TCP_INFO).
std::uint64_t wire_bytes(std::uint16_t port);

}  // namespace thalweg::bench
