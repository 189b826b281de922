// The boundary between hosts and plugins of different ages, with libraries as an integrator builds them.
#include <dlfcn.h>

#include <catch2/catch.hpp>
#include <cstddef>
#include <cstring>
#include <string>

#include "testkit/fake_host.h"
#include "thalweg/cpp/result.h"

using namespace thalweg;
using thalweg::testkit::FakeHost;
using thalweg::testkit::Given;

namespace {

struct Library {
  explicit Library(const std::string& id)
      : handle(dlopen((std::string(THALWEG_PLUGINS) + "/" + id + "/" + id + ".so").c_str(), RTLD_NOW | RTLD_LOCAL)) {
    INFO(id << ": " << (handle ? "" : dlerror()));
    REQUIRE(handle != nullptr);
    open = reinterpret_cast<tw_plugin_open_fn>(dlsym(handle, "thalweg_plugin_open"));
    REQUIRE(open != nullptr);
  }
  ~Library() { dlclose(handle); }
  void* handle;
  tw_plugin_open_fn open = nullptr;
};

// A host of a later minor: its table has one more function.
struct NewerTable {
  tw_plugin known;
  void (*later_function)(tw_instance*);
};

// A plugin of a later minor: it would fill more than a 1.0 host has room for.
NewerTable newer_plugin_table() {
  NewerTable mine{};
  mine.known.abi_minor = 1;
  mine.known.destroy = [](tw_instance*) {};
  mine.later_function = [](tw_instance*) {};
  return mine;
}
tw_status open_newer_plugin(std::uint32_t, std::uint32_t, tw_plugin* plugin, tw_error*) {
  NewerTable mine = newer_plugin_table();
  const std::uint32_t n = std::min<std::uint32_t>(plugin->struct_size, sizeof mine);
  mine.known.struct_size = n;
  std::memcpy(plugin, &mine, n);
  return TW_OK;
}

}  // namespace

TEST_CASE("an older plugin leaves the later members of a newer host alone", "[abi]") {
  for (const char* id : {"minimal_sink_c", "minimal_source_cpp"}) {
    const Library library(id);
    NewerTable table{};
    table.known.struct_size = sizeof table;
    REQUIRE(library.open(1, 1, &table.known, nullptr) == TW_OK);
    CHECK(table.known.struct_size == sizeof(tw_plugin));
    CHECK(table.known.abi_minor == 0);
    CHECK(table.later_function == nullptr);
  }
}

TEST_CASE("a newer plugin fills no more than an older host allocated", "[abi]") {
  struct {
    tw_plugin table;
    unsigned char canary[32];
  } memory{};
  std::memset(memory.canary, 0xAB, sizeof memory.canary);
  memory.table.struct_size = sizeof memory.table;
  REQUIRE(open_newer_plugin(1, 0, &memory.table, nullptr) == TW_OK);
  CHECK(memory.table.struct_size == sizeof(tw_plugin));
  for (unsigned char c : memory.canary) CHECK(c == 0xAB);
}

TEST_CASE("a plugin fills no more than a shorter struct allows", "[abi]") {
  for (const char* id : {"minimal_sink_c", "minimal_source_cpp"}) {
    const Library library(id);
    alignas(tw_plugin) unsigned char memory[sizeof(tw_plugin)];
    std::memset(memory, 0xAB, sizeof memory);
    const std::uint32_t size = offsetof(tw_plugin, extension);
    std::memcpy(memory, &size, sizeof size);
    REQUIRE(library.open(1, 0, reinterpret_cast<tw_plugin*>(memory), nullptr) == TW_OK);
    for (std::size_t i = size; i < sizeof memory; ++i) CHECK(memory[i] == 0xAB);
  }
}

TEST_CASE("a major that is not spoken is refused so that the host tries an older one", "[abi]") {
  for (const char* id : {"minimal_sink_c", "minimal_source_cpp"}) {
    const Library library(id);
    tw_plugin table{};
    table.struct_size = sizeof table;
    tw_error error{};
    error.struct_size = sizeof error;
    CHECK(library.open(2, 0, &table, &error) == TW_E_ABI);
    CHECK(error.code == TW_E_ABI);
    CHECK(table.create == nullptr);
  }
}

TEST_CASE("only the one function is exported", "[abi]") {
  const Library library("minimal_source_cpp");
  CHECK(dlsym(library.handle, "thalweg_plugin_open") != nullptr);
  CHECK(dlsym(library.handle, "_ZN7thalweg6detail6createEv") == nullptr);
}

TEST_CASE("the status codes of the header are those of errors.json", "[abi]") {
  CHECK(TW_OK == static_cast<int>(Code::kOk));
  CHECK(TW_E_INVALID == static_cast<int>(Code::kInvalid));
  CHECK(TW_E_STATE == static_cast<int>(Code::kState));
  CHECK(TW_E_UNSUPPORTED == static_cast<int>(Code::kUnsupported));
  CHECK(TW_E_ABI == static_cast<int>(Code::kAbi));
  CHECK(TW_E_CONFIG == static_cast<int>(Code::kConfig));
  CHECK(TW_E_UNAVAILABLE == static_cast<int>(Code::kUnavailable));
  CHECK(TW_E_TIMEOUT == static_cast<int>(Code::kTimeout));
  CHECK(TW_E_BUSY == static_cast<int>(Code::kBusy));
  CHECK(TW_E_DATA == static_cast<int>(Code::kData));
  CHECK(TW_E_DENIED == static_cast<int>(Code::kDenied));
  CHECK(TW_E_INTERNAL == static_cast<int>(Code::kInternal));
  CHECK(TW_E_NOT_FOUND == static_cast<int>(Code::kNotFound));
  CHECK(TW_E_CLOSED == static_cast<int>(Code::kClosed));
}
