#include "link/local_socket.h"

#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <catch2/catch.hpp>

#include <thread>

#include "base/loop.h"
#include "link_rig.h"
#include "support/temp_folder.h"

namespace thalweg::link {
namespace {

/// A server on its own loop that answers requests and counts what comes.
struct Server {
  explicit Server(std::filesystem::path at, LocalOptions options = {}, std::function<void(LocalEvents&)> setup = {})
      : path(std::move(at)) {
    loop.start();
    LocalEvents events;
    events.on_open = [this](const LocalConnectionRef& c) { seen.change([&] { open.push_back(c); }); };
    events.on_frame = [this](const LocalConnectionRef& c, LocalType type, ByteView body) {
      seen.change([&] { types.push_back(type); });
      if (type != LocalType::kRequest) return;
      const auto request = LocalRequest::decode(body);
      if (!request) return;
      const bool many = request->json == "many";
      for (int i = 0; i < (many ? 3 : 1); ++i) {
        const std::string answer = std::string(request->json) + "!";
        Bytes frame;
        LocalReply{request->id, !many || i == 2, answer}.encode(frame);
        c->send(std::move(frame));
      }
    };
    events.on_closed = [this](const LocalConnectionRef&, Code code) { seen.change([&] { closed.push_back(code); }); };
    if (setup) setup(events);
    loop.run([&] {
      auto made = LocalServer::listen(loop.io(), path, 0600, options, events);
      if (made)
        server = *std::move(made);
      else
        error = made.error().code;
    });
  }
  ~Server() {
    loop.run([&] { server.reset(); });
  }

  Loop loop{"test-local"};
  std::filesystem::path path;
  Happenings seen;
  std::vector<LocalConnectionRef> open;
  std::vector<LocalType> types;
  std::vector<Code> closed;
  std::optional<Code> error;
  std::unique_ptr<LocalServer> server;
};

}  // namespace

TEST_CASE("a tool asks over the local socket and is answered", "[link][local]") {
  TempFolder folder;
  Server server(folder / "hub.sock");
  REQUIRE(server.server);
  auto client = BlockingLocalClient::connect(folder / "hub.sock");
  REQUIRE(client);
  auto answer = client->request("{}");
  REQUIRE(answer);
  CHECK(*answer == "{}!");
  std::vector<std::string> many;
  REQUIRE(client->stream("many", [&](std::string_view json) {
    many.emplace_back(json);
    return true;
  }));
  CHECK(many == std::vector<std::string>{"many!", "many!", "many!"});
}

TEST_CASE("the server learns from the kernel who is at the other end", "[link][local]") {
  TempFolder folder;
  Server server(folder / "hub.sock");
  auto client = BlockingLocalClient::connect(folder / "hub.sock");
  REQUIRE(client);
  REQUIRE(server.seen.wait([&] { return server.open.size() == 1; }));
  CHECK(server.open[0]->peer().uid == ::getuid());
  CHECK(server.open[0]->peer().gid == ::getgid());
  CHECK(server.open[0]->peer().pid == ::getpid());
}

TEST_CASE("the socket file has the mode that was asked for, whatever the umask", "[link][local]") {
  TempFolder folder;
  Server server(folder / "hub.sock");
  struct stat info {};
  REQUIRE(::stat((folder / "hub.sock").c_str(), &info) == 0);
  CHECK((info.st_mode & 0777) == 0600);
}

TEST_CASE("a stale socket is replaced, a served one and a plain file are not", "[link][local]") {
  TempFolder folder;
  const auto path = folder / "hub.sock";
  {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.c_str(), path.native().size());
    const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
    REQUIRE(::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    ::close(fd);  // as a killed program leaves it
  }
  Server first(path);
  REQUIRE(first.server);
  Server second(path);
  CHECK(second.error == Code::kExists);
  REQUIRE(BlockingLocalClient::connect(path));

  const auto file = folder / "file";
  REQUIRE(::close(::creat(file.c_str(), 0600)) == 0);
  Server third(file);
  CHECK(third.error == Code::kExists);
}

TEST_CASE("nobody serves: the tool is told which", "[link][local]") {
  TempFolder folder;
  const auto none = BlockingLocalClient::connect(folder / "none.sock");
  REQUIRE(!none);
  CHECK(none.error().code == Code::kNotFound);
}

TEST_CASE("a frame that is too large or of no known type ends the connection", "[link][local]") {
  TempFolder folder;
  Server server(folder / "hub.sock");
  SECTION("too large") {
    auto client = BlockingLocalClient::connect(folder / "hub.sock");
    REQUIRE(client);
    REQUIRE(client->send({0x01, 0x00, 0x80, 0x00}));  // 8 MiB and one byte
    REQUIRE(server.seen.wait([&] { return server.closed.size() == 1; }));
    CHECK(server.closed[0] == Code::kLinkFrame);
    const auto next = client->next(std::chrono::seconds(30));
    REQUIRE(!next);
    CHECK(next.error().code == Code::kClosed);
  }
  SECTION("unknown type") {
    auto client = BlockingLocalClient::connect(folder / "hub.sock");
    REQUIRE(client);
    REQUIRE(client->send({1, 0, 0, 0, 99}));
    REQUIRE(server.seen.wait([&] { return server.closed.size() == 1; }));
    CHECK(server.closed[0] == Code::kLinkFrame);
  }
}

TEST_CASE("a server that pauses reading makes the sender wait, and nothing is lost", "[link][local]") {
  TempFolder folder;
  Loop loop("test-client");
  loop.start();
  Happenings seen;
  std::size_t taken = 0;
  bool full = false, paused = false;
  LocalConnectionRef reader;
  Server server(folder / "gate.sock", {}, [&](LocalEvents& events) {
    events.on_frame = [&](const LocalConnectionRef& c, LocalType, ByteView) {
      seen.change([&] {
        ++taken;
        reader = c;
        if (taken == 1) {
          c->pause_reading();
          paused = true;
        }
      });
    };
  });
  REQUIRE(server.server);

  constexpr std::size_t kFrames = 300;
  std::size_t sent = 0;
  LocalConnectionRef writer;
  const auto push = [&] {
    while (sent < kFrames) {
      Bytes frame;
      LocalLog{2, std::string(60'000, 'x')}.encode(frame);
      if (!writer->send(std::move(frame))) {
        seen.change([&] { full = true; });
        return;
      }
      ++sent;
    }
  };
  LocalEvents events;
  events.on_open = [&](const LocalConnectionRef& c) {
    writer = c;
    push();
  };
  events.on_frame = [](const LocalConnectionRef&, LocalType, ByteView) {};
  events.on_drained = [&](const LocalConnectionRef&) { push(); };
  LocalOptions options;
  options.write_queue_bytes = 1u << 20;
  std::unique_ptr<LocalClient> client;
  loop.run([&] { client = LocalClient::connect(loop.io(), folder / "gate.sock", options, events); });

  REQUIRE(seen.wait([&] { return full && paused; }));
  CHECK(seen.look([&] { return taken; }) == 1);
  server.loop.run([&] { reader->resume_reading(); });
  CHECK(seen.wait([&] { return taken == kFrames; }));
  loop.run([&] {
    client.reset();
    writer.reset();
  });
  server.loop.run([&] { reader.reset(); });
}

TEST_CASE("closing writes what is queued first", "[link][local]") {
  TempFolder folder;
  Server server(folder / "gate.sock", {}, [&](LocalEvents& events) {
    events.on_open = [](const LocalConnectionRef& c) {
      for (int i = 0; i < 100; ++i) {
        Bytes frame;
        LocalLog{2, std::string(10'000, 'x')}.encode(frame);
        c->send(std::move(frame));
      }
      c->close();
    };
  });
  auto client = BlockingLocalClient::connect(folder / "gate.sock");
  REQUIRE(client);
  for (int i = 0; i < 100; ++i) REQUIRE(client->next(std::chrono::seconds(30)));
  const auto end = client->next(std::chrono::seconds(30));
  REQUIRE(!end);
  CHECK(end.error().code == Code::kClosed);
}

TEST_CASE("connecting to nothing is told on the loop", "[link][local]") {
  TempFolder folder;
  Loop loop("test-client");
  loop.start();
  Happenings seen;
  std::optional<Code> code;
  LocalEvents events;
  events.on_frame = [](const LocalConnectionRef&, LocalType, ByteView) {};
  events.on_closed = [&](const LocalConnectionRef& c, Code why) {
    if (!c) seen.change([&] { code = why; });
  };
  std::unique_ptr<LocalClient> client;
  loop.run([&] { client = LocalClient::connect(loop.io(), folder / "none.sock", {}, events); });
  REQUIRE(seen.wait([&] { return code.has_value(); }));
  CHECK(*code == Code::kUnavailable);
  loop.run([&] { client.reset(); });
}

}  // namespace thalweg::link
