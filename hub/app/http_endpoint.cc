#include "app/http_endpoint.h"

#include <fmt/format.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <chrono>

namespace thalweg::app {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;

constexpr std::chrono::seconds kPatience{10};
constexpr std::chrono::milliseconds kPause{100};
constexpr std::size_t kMaxConnections = 64;

}  // namespace

struct HttpEndpoint::Impl : std::enable_shared_from_this<Impl> {
  Impl(Loop& l, Pages p) : loop(l), pages(std::move(p)), acceptor(l.io()), pause(l.io()) {}

  void accept();

  Loop& loop;
  Pages pages;
  tcp::acceptor acceptor;
  asio::steady_timer pause;
  std::uint16_t port = 0;
  std::size_t connections = 0;
  bool stopped = false;
};

namespace {

/// One request, one answer, closed.
class Exchange : public std::enable_shared_from_this<Exchange> {
 public:
  Exchange(tcp::socket socket, const HttpEndpoint::Pages& pages, std::function<void()> ended)
      : stream_(std::move(socket)), pages_(pages), ended_(std::move(ended)) {
    parser_.header_limit(8192);
    parser_.body_limit(1024);
  }
  ~Exchange() { ended_(); }

  void run() {
    stream_.expires_after(kPatience);
    http::async_read(stream_, buffer_, parser_, [self = shared_from_this()](beast::error_code error, std::size_t) {
      if (!error) self->answer();
    });
  }

 private:
  void answer() {
    const auto& request = parser_.get();
    response_.version(request.version());
    response_.keep_alive(false);
    response_.set(http::field::content_type, "text/plain; charset=utf-8");
    response_.set(http::field::cache_control, "no-store");
    response_.result(http::status::ok);
    if (request.method() != http::verb::get) {
      response_.result(http::status::method_not_allowed);
    } else if (request.target() == "/metrics") {
      response_.set(http::field::content_type, "text/plain; version=0.0.4; charset=utf-8");
      response_.body() = pages_.metrics();
    } else if (request.target() == "/healthz") {
      const std::string why = pages_.unhealthy_because();
      if (!why.empty()) response_.result(http::status::service_unavailable);
      response_.body() = (why.empty() ? "ok" : why) + "\n";
    } else {
      response_.result(http::status::not_found);
    }
    response_.prepare_payload();
    http::async_write(stream_, response_, [self = shared_from_this()](beast::error_code, std::size_t) {
      beast::error_code ignored;
      self->stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
    });
  }

  beast::tcp_stream stream_;
  beast::flat_buffer buffer_{16 * 1024};
  http::request_parser<http::string_body> parser_;
  http::response<http::string_body> response_;
  const HttpEndpoint::Pages& pages_;
  std::function<void()> ended_;
};

}  // namespace

void HttpEndpoint::Impl::accept() {
  acceptor.async_accept([self = shared_from_this()](boost::system::error_code error, tcp::socket socket) {
    if (self->stopped) return;
    if (error) {
      // Out of descriptors: asked again at once, it would say the same again at once.
      self->pause.expires_after(kPause);
      return self->pause.async_wait([self](boost::system::error_code) {
        if (!self->stopped) self->accept();
      });
    }
    if (self->connections < kMaxConnections) {
      ++self->connections;
      std::make_shared<Exchange>(std::move(socket), self->pages, [self] { --self->connections; })->run();
    }
    self->accept();
  });
}

HttpEndpoint::HttpEndpoint(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

HttpEndpoint::~HttpEndpoint() {
  impl_->loop.post([impl = impl_] {
    impl->stopped = true;
    boost::system::error_code ignored;
    impl->acceptor.close(ignored);
  });
}

std::uint16_t HttpEndpoint::port() const { return impl_->port; }

Result<std::unique_ptr<HttpEndpoint>> HttpEndpoint::listen(Loop& loop, const std::string& address, std::uint16_t port,
                                                           Pages pages) {
  boost::system::error_code error;
  const auto ip = asio::ip::make_address(address, error);
  if (error) return Error{Code::kConfig, "http.address is no IP address: " + address};
  auto impl = std::make_shared<Impl>(loop, std::move(pages));
  const tcp::endpoint endpoint(ip, port);
  impl->acceptor.open(endpoint.protocol(), error);
  if (!error) impl->acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) impl->acceptor.bind(endpoint, error);
  if (!error) impl->acceptor.listen(16, error);
  if (error)
    return Error{Code::kUnavailable, fmt::format("cannot listen on {}:{}: {}", address, port, error.message())};
  impl->port = impl->acceptor.local_endpoint(error).port();
  loop.post([impl] { impl->accept(); });
  return std::unique_ptr<HttpEndpoint>(new HttpEndpoint(std::move(impl)));
}

void metric(std::string& page, std::string_view name, std::string_view labels, double value) {
  if (labels.empty())
    fmt::format_to(std::back_inserter(page), "{} {:.17g}\n", name, value);
  else
    fmt::format_to(std::back_inserter(page), "{}{{{}}} {:.17g}\n", name, labels, value);
}

}  // namespace thalweg::app
