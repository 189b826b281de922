// loaded_plugin.h: a plugin's library as the build made it, opened in this process.
#pragma once

#include <dlfcn.h>

#include <catch2/catch.hpp>
#include <fstream>
#include <iterator>
#include <string>

#include "thalweg/thalweg_plugin.h"

namespace thalweg::adapters {

inline std::string content_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

struct LoadedPlugin {
  explicit LoadedPlugin(const std::string& id) {
    const std::string path = std::string(THALWEG_PLUGINS) + "/" + id + "/" + id + ".so";
    handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    INFO(path);
    REQUIRE(handle != nullptr);
    open = reinterpret_cast<tw_plugin_open_fn>(dlsym(handle, "thalweg_plugin_open"));
    REQUIRE(open != nullptr);
  }
  // Never closed: sanitizers name functions of a library only while it is there.
  void* handle = nullptr;
  tw_plugin_open_fn open = nullptr;
};

}  // namespace thalweg::adapters
