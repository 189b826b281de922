// The examples do what their README says, and the wrapper keeps the rules of the boundary.
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include "testkit/fake_host.h"
#include "thalweg/cpp/adapter.h"

using namespace thalweg;
using thalweg::testkit::FakeHost;
using thalweg::testkit::Given;

namespace thalweg_examples {  // each example is compiled into its own wrapper, see CMakeLists.txt
extern "C" tw_status minimal_sink_c_open(uint32_t, uint32_t, tw_plugin*, tw_error*);
extern "C" tw_status v1_0_sink_open(uint32_t, uint32_t, tw_plugin*, tw_error*);  // compiled against the header of 1.0
extern "C" tw_status minimal_source_cpp_open(uint32_t, uint32_t, tw_plugin*, tw_error*);
}  // namespace thalweg_examples

namespace {

struct Folder {
  Folder() {
    char pattern[] = "/tmp/thalweg-abi-XXXXXX";
    path = mkdtemp(pattern);
  }
  ~Folder() { std::filesystem::remove_all(path); }
  std::filesystem::path path;
};

std::string content(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// Accepts the first record, forgets the second, throws when there are four.
class OddSink final : public Sink {
 public:
  static constexpr bool kExerciseAware = true;
  Status configure(std::string_view) override { return {}; }
  Status deliver(std::span<const RecordView> records, Answers& answers, std::chrono::milliseconds) override {
    answers.accept(0);
    if (records.size() == 4) throw std::runtime_error("far side went away");
    if (records.size() == 3) answers.reject(2, Code::kData, std::string(400, 'x') + "\xE6\xB0\xB4");
    return {};
  }
};

tw_status open_odd(std::uint32_t major, std::uint32_t, tw_plugin* plugin, tw_error* error) {
  return detail::open(detail::make_plugin<NoAdapter, OddSink>(), major, plugin, error);
}

}  // namespace

TEST_CASE("the C example writes one line a record and accepts only then", "[examples]") {
  const auto open = GENERATE(&thalweg_examples::minimal_sink_c_open, &thalweg_examples::v1_0_sink_open);
  const Folder folder;
  FakeHost host(open, {.kind = "sink"});
  CHECK_FALSE(host.configure("{}"));
  REQUIRE(host.configure("{\"file\": \"" + (folder.path / "out").string() + "\"}"));
  REQUIRE(host.start());
  Given a, b;
  a.data = R"({"n":1})";
  b.data = R"({"n":2})";
  const auto got = host.deliver({a, b});
  CHECK(got[0].verdict == TW_ACCEPTED);
  CHECK(got[1].verdict == TW_ACCEPTED);
  CHECK(content(folder.path / "out") == "{\"n\":1}\n{\"n\":2}\n");
  host.stop();
  CHECK(host.breaches() == std::vector<std::string>{});
}

TEST_CASE("the C++ example submits each line once there is room, and again after a restart", "[examples]") {
  const Folder folder;
  std::ofstream(folder.path / "in") << R"({"key":"a","type":"t","time":"2026-08-26T13:00:00+08:00","data":{"n":1}})"
                                    << "\n"
                                    << "not json\n"
                                    << R"({"key":"b","type":"t","time":"2026-08-26T13:00:00+08:00","data":{"n":2}})"
                                    << "\n"
                                    << R"({"key":"half a line)";
  FakeHost host(&thalweg_examples::minimal_source_cpp_open, {.kind = "source", .room = 1});
  REQUIRE(host.configure("{\"file\": \"" + (folder.path / "in").string() + "\"}"));
  REQUIRE(host.start());
  REQUIRE(host.poll());
  REQUIRE(host.submitted().size() == 1);
  CHECK(host.submitted()[0].data == R"({"n":1})");
  host.settle_all();
  REQUIRE(host.poll());
  REQUIRE(host.submitted().size() == 1);
  CHECK(host.submitted()[0].origin_key == "b");
  host.settle_all();
  REQUIRE(host.poll());
  CHECK(host.submitted().empty());
  host.stop();
  CHECK(host.breaches() == std::vector<std::string>{});
}

TEST_CASE("a record that a sink forgot stays a retry", "[wrapper]") {
  FakeHost host(&open_odd, {.kind = "sink"});
  REQUIRE(host.configure("{}"));
  REQUIRE(host.start());
  const auto got = host.deliver({Given{}, Given{}});
  CHECK(got[0].verdict == TW_ACCEPTED);
  CHECK(got[1].verdict == TW_RETRY);
}

TEST_CASE("an exception in a sink becomes a code and the unanswered are retried", "[wrapper]") {
  FakeHost host(&open_odd, {.kind = "sink"});
  REQUIRE(host.configure("{}"));
  REQUIRE(host.start());
  Status whole;
  const auto got = host.deliver({Given{}, Given{}, Given{}, Given{}}, &whole);
  REQUIRE_FALSE(whole);
  CHECK(whole.error().code == Code::kInternal);
  CHECK(got[0].verdict == TW_ACCEPTED);
  CHECK(got[3].verdict == TW_RETRY);
  CHECK(got[3].reason == "far side went away");
}

TEST_CASE("a long reason is cut between characters", "[wrapper]") {
  FakeHost host(&open_odd, {.kind = "sink"});
  REQUIRE(host.configure("{}"));
  REQUIRE(host.start());
  const auto got = host.deliver({Given{}, Given{}, Given{}});
  CHECK(got[2].verdict == TW_REJECTED);
  CHECK(got[2].reason == std::string(255, 'x'));
  char out[5];
  detail::copy_text(out, "ab\xE6\xB0\xB4");
  CHECK(std::string(out) == "ab");
}

TEST_CASE("a plugin is refused a kind that it does not have", "[wrapper]") {
  FakeHost host(&open_odd, {.kind = "source"});
  CHECK(host.breaches() == std::vector<std::string>{"required function is missing: settled"});
}

TEST_CASE("only what an adapter overrides is offered to the host", "[wrapper]") {
  const tw_plugin sink = detail::make_plugin<NoAdapter, OddSink>();
  CHECK(sink.flags == TW_PLUGIN_EXERCISE_AWARE);
  CHECK(sink.settled == nullptr);
  CHECK(sink.poll == nullptr);
  FakeHost source(&thalweg_examples::minimal_source_cpp_open, {.kind = "source"});
  CHECK(source.plugin().poll != nullptr);
  CHECK(source.plugin().room == nullptr);
  CHECK(source.plugin().later == nullptr);
  CHECK(source.plugin().deliver == nullptr);
}
