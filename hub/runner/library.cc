// library.cc: see library.h.
#include "runner/library.h"

#include <dlfcn.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <nlohmann/json.hpp>

namespace thalweg::runner {
namespace {

using nlohmann::json;

Error refused(std::string message) { return {Code::kPluginLoad, std::move(message)}; }

bool holds(const json& list, std::string_view word) {
  return list.is_array() && std::any_of(list.begin(), list.end(), [&](const json& one) {
           return one.is_string() && one.get_ref<const std::string&>() == word;
         });
}

Status check_one(const Path& path, bool folder) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return refused(path.string() + ": " + ::strerror(errno));
  if (!folder && !S_ISREG(info.st_mode)) return refused(path.string() + " is no file");
  if (info.st_uid != 0 && info.st_uid != ::geteuid()) {
    return refused(path.string() + " belongs to another user; type: chown root " + path.string());
  }
  if ((info.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    return refused(path.string() + " can be changed by others; type: chmod go-w " + path.string());
  }
  return {};
}

}  // namespace

tw_error fresh_error() {
  tw_error error;
  std::memset(&error, 0, sizeof error);
  error.struct_size = sizeof error;
  return error;
}

Error to_error(tw_status status, const tw_error& error) {
  const std::size_t size = ::strnlen(error.message, sizeof error.message);
  std::string message(error.message, size);
  if (message.empty()) message = "status " + std::to_string(status);
  return {static_cast<Code>(status), std::move(message)};
}

Result<Manifest> Manifest::parse(std::string_view text) {
  const json manifest = json::parse(text, nullptr, false);
  if (!manifest.is_object()) return refused("plugin.json is no JSON object");
  const auto get = [&](const char* key) { return manifest.contains(key) ? manifest[key] : json(); };
  Manifest out;
  if (get("manifest") != 1) return refused("plugin.json: manifest: only 1 is known");
  if (!get("id").is_string()) return refused("plugin.json: id: missing");
  out.id = get("id").get<std::string>();
  if (get("version").is_string()) out.version = get("version").get<std::string>();
  const json abi = get("abi");
  if (!abi.is_object() || abi.value("major", 0) != static_cast<int>(TW_ABI_MAJOR)) {
    return refused("plugin.json: abi: this gate speaks major " + std::to_string(TW_ABI_MAJOR));
  }
  out.source = holds(get("kinds"), "source");
  out.sink = holds(get("kinds"), "sink");
  out.routine = holds(get("lanes"), "routine");
  out.urgent = holds(get("lanes"), "urgent");
  out.exercise_aware = get("exercise_aware") == true;
  return out;
}

Status check_rights(const Path& file) {
  TW_TRY(check_one(file, false));
  return check_one(file.parent_path(), true);
}

Result<Library> Library::open(const Path& file, std::string_view kind) {
  TW_TRY(check_rights(file));
  auto text = read_file(real_files(), file.parent_path() / "plugin.json", 1u << 20);
  if (!text) return refused("no plugin.json beside the library: " + text.error().message);
  Library out;
  TW_ASSIGN(out.manifest_, Manifest::parse(as_text(*text)));
  if (out.manifest_.id + ".so" != file.filename().string()) {
    return refused("plugin.json is of '" + out.manifest_.id + "', the library is " + file.filename().string());
  }
  if (!(kind == "source" ? out.manifest_.source : out.manifest_.sink)) {
    return refused(out.manifest_.id + " is no " + std::string(kind));
  }

  void* handle = ::dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) return refused(::dlerror());
  const auto entry = reinterpret_cast<tw_plugin_open_fn>(::dlsym(handle, "thalweg_plugin_open"));
  if (entry == nullptr) return refused(file.string() + " does not export thalweg_plugin_open");
  tw_error error = fresh_error();
  out.plugin_.struct_size = sizeof out.plugin_;
  // One major is spoken so far; an older one would be tried here after TW_E_ABI.
  const tw_status status = entry(TW_ABI_MAJOR, TW_ABI_MINOR, &out.plugin_, &error);
  if (status == TW_E_ABI) return Error{Code::kAbi, "the plugin does not speak ABI major 1"};
  if (status != TW_OK) return to_error(status, error).in("thalweg_plugin_open");
  if (out.plugin_.struct_size > sizeof out.plugin_) {
    return Error{Code::kPluginContract, "thalweg_plugin_open says that it filled more than it was given"};
  }
  // Beyond what an older plugin filled, nothing is touched.
  std::memset(reinterpret_cast<char*>(&out.plugin_) + out.plugin_.struct_size, 0,
              sizeof out.plugin_ - out.plugin_.struct_size);
  const tw_plugin& plugin = out.plugin_;
  std::string missing;
  const auto need = [&](bool there, const char* name) {
    if (!there) missing += std::string(missing.empty() ? "" : ", ") + name;
  };
  need(plugin.create != nullptr, "create");
  need(plugin.configure != nullptr, "configure");
  need(plugin.start != nullptr, "start");
  need(plugin.stop != nullptr, "stop");
  need(plugin.destroy != nullptr, "destroy");
  need(kind != "sink" || plugin.deliver != nullptr, "deliver");
  need(kind != "source" || plugin.settled != nullptr, "settled");
  if (!missing.empty()) return Error{Code::kPluginContract, "required functions are missing: " + missing};
  return out;
}

}  // namespace thalweg::runner
