#include "link/local_socket.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/asio/steady_timer.hpp>
#include <cerrno>
#include <cstring>
#include <set>

#include "base/log.h"
#include "link/local_connection.h"

namespace thalweg::link {
namespace {

using boost::asio::local::stream_protocol;

Error failed(Code code, const std::filesystem::path& path) {
  return {code, path.string() + ": " + std::strerror(errno)};
}

Code code_of(int error) {
  switch (error) {
    case EACCES:
    case EPERM:
      return Code::kDenied;
    case ENOENT:
      return Code::kNotFound;
    case ECONNREFUSED:
      return Code::kUnavailable;
    default:
      return Code::kIo;
  }
}

bool too_long(const std::filesystem::path& path) { return path.native().size() >= sizeof(sockaddr_un::sun_path); }

sockaddr_un address_of(const std::filesystem::path& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.c_str(), path.native().size());
  return address;
}

/// Removes a socket that a dead program left behind.
Status clear_stale(const std::filesystem::path& path) {
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0) return errno == ENOENT ? Status() : Status(failed(code_of(errno), path));
  if (!S_ISSOCK(info.st_mode)) return Error{Code::kExists, path.string() + " is there and is no socket"};
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return failed(Code::kIo, path);
  const sockaddr_un address = address_of(path);
  const int connected = ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  const int error = errno;
  ::close(fd);
  if (connected == 0 || error != ECONNREFUSED) return Error{Code::kExists, "another program serves " + path.string()};
  if (::unlink(path.c_str()) != 0) return failed(code_of(errno), path);
  return {};
}

}  // namespace

// ---- server ----

struct LocalServer::Impl : std::enable_shared_from_this<LocalServer::Impl> {
  Impl(boost::asio::io_context& loop, std::filesystem::path at, LocalOptions with, LocalEvents tell)
      : io(loop), path(std::move(at)), options(with), events(std::move(tell)), acceptor(loop), pause(loop) {}

  void accept() {
    acceptor.async_accept([self = shared_from_this()](boost::system::error_code error, stream_protocol::socket socket) {
      if (self->ended) return;
      if (error) {
        // Out of descriptors: what is there goes on, new ones wait a moment.
        log::warning("link", "a local connection could not be taken: {}", error.message());
        self->pause.expires_after(std::chrono::milliseconds(100));
        self->pause.async_wait([self](boost::system::error_code cancelled) {
          if (!cancelled && !self->ended) self->accept();
        });
        return;
      }
      if (self->open.size() >= self->options.max_connections)
        log::warning("link", "a local connection was refused: there are {} already", self->open.size());
      else
        self->add(std::move(socket));
      if (!self->ended) self->accept();
    });
  }
  void add(stream_protocol::socket socket) {
    auto connection = std::make_shared<LocalConnectionImpl>(std::move(socket), options, events);
    open.insert(connection);
    connection->on_gone = [weak = weak_from_this(), raw = std::weak_ptr(connection)] {
      const auto self = weak.lock();
      if (const auto gone = raw.lock(); self && gone) self->open.erase(gone);
    };
    connection->start();
  }

  boost::asio::io_context& io;
  const std::filesystem::path path;
  const LocalOptions options;
  const LocalEvents events;
  stream_protocol::acceptor acceptor;
  boost::asio::steady_timer pause;
  std::set<std::shared_ptr<LocalConnectionImpl>> open;
  bool ended = false;
};

LocalServer::LocalServer(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

Result<std::unique_ptr<LocalServer>> LocalServer::listen(boost::asio::io_context& io, const std::filesystem::path& path,
                                                         mode_t mode, LocalOptions options, LocalEvents events) {
  if (too_long(path)) return Error{Code::kInvalid, path.string() + " is too long for a socket"};
  if (!events.on_frame) return Error{Code::kInvalid, "on_frame is needed"};
  TW_TRY(clear_stale(path));
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return failed(Code::kIo, path);
  const sockaddr_un address = address_of(path);
  // Before bind: so the file is never open to more than it should be.
  if (::fchmod(fd, mode) != 0 || ::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::chmod(path.c_str(), mode) != 0 || ::listen(fd, SOMAXCONN) != 0) {
    Error error = failed(code_of(errno), path);
    ::close(fd);
    return error;
  }
  auto impl = std::make_shared<Impl>(io, path, options, std::move(events));
  boost::system::error_code error;
  impl->acceptor.assign(stream_protocol(), fd, error);
  if (error) {
    ::close(fd);
    return Error{Code::kIo, path.string() + ": " + error.message()};
  }
  impl->accept();
  return std::unique_ptr<LocalServer>(new LocalServer(std::move(impl)));
}

LocalServer::~LocalServer() {
  impl_->ended = true;
  boost::system::error_code ignored;
  impl_->acceptor.close(ignored);
  impl_->pause.cancel();
  for (const auto& connection : impl_->open) connection->abandon();
  impl_->open.clear();
  ::unlink(impl_->path.c_str());
}

std::size_t LocalServer::connections() const { return impl_->open.size(); }

// ---- client ----

struct LocalClient::Impl : std::enable_shared_from_this<LocalClient::Impl> {
  Impl(boost::asio::io_context& loop, LocalOptions with, LocalEvents tell)
      : options(with), events(std::move(tell)), socket(loop) {}

  const LocalOptions options;
  const LocalEvents events;
  stream_protocol::socket socket;
  std::shared_ptr<LocalConnectionImpl> connection;
  bool ended = false;
};

LocalClient::LocalClient(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

std::unique_ptr<LocalClient> LocalClient::connect(boost::asio::io_context& io, const std::filesystem::path& path,
                                                  LocalOptions options, LocalEvents events) {
  auto impl = std::make_shared<Impl>(io, options, std::move(events));
  const auto opened = [impl](boost::system::error_code error) {
    if (impl->ended) return;
    if (error || !impl->events.on_frame) {
      if (impl->events.on_closed) impl->events.on_closed(nullptr, Code::kUnavailable);
      return;
    }
    impl->connection = std::make_shared<LocalConnectionImpl>(std::move(impl->socket), impl->options, impl->events);
    impl->connection->start();
  };
  if (too_long(path))
    boost::asio::post(io, [opened] { opened(boost::asio::error::name_too_long); });
  else
    impl->socket.async_connect(stream_protocol::endpoint(path.string()), opened);
  return std::unique_ptr<LocalClient>(new LocalClient(std::move(impl)));
}

LocalClient::~LocalClient() {
  impl_->ended = true;
  boost::system::error_code ignored;
  impl_->socket.close(ignored);
  if (impl_->connection) impl_->connection->abandon();
}

}  // namespace thalweg::link
