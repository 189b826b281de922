#include "app/hub_config.h"

#include "region/toml_reader.h"

namespace thalweg::app {
namespace {

using region::Need;

std::uint16_t port_of(region::TableReader& table, std::string_view key, std::uint16_t otherwise) {
  return static_cast<std::uint16_t>(table.integer(key, 0, 65535, Need::kOptional, otherwise));
}

Path path_of(region::TableReader& table, std::string_view key, const char* otherwise, const Path& folder) {
  const region::Text text = table.text(key, Need::kOptional);
  return (folder / (text.given() ? text.value : otherwise)).lexically_normal();
}

}  // namespace

Result<HubConfig> HubConfig::load(FileSystem& files, const Path& file, std::vector<region::Mistake>& mistakes) {
  TW_ASSIGN(const Bytes bytes, read_file(files, file, 1 << 20));
  HubConfig config;
  config.folder = std::filesystem::absolute(file).parent_path();
  const std::string name = file.filename().string();
  region::MistakeList list(mistakes);
  toml::table parsed;
  try {
    parsed = toml::parse(as_text(bytes), name);
  } catch (const toml::parse_error& error) {
    const std::string text(error.description());
    list.add(name, error.source().begin.line, "", Code::kRegionSyntax, {text, text});
    return Error{Code::kConfig, file.string() + " is not TOML"};
  }
  region::TableReader top(parsed, name, "", list);
  top.integer("format", 1, 1, Need::kRequired);
  config.region = path_of(top, "region", "region", config.folder);
  config.keys = path_of(top, "keys", "keys", config.folder);
  config.state = path_of(top, "state", "state", config.folder);
  for (const region::Text& text : top.texts("operators", Need::kOptional)) config.operators.push_back(text.value);
  if (auto listen = top.table("listen", Need::kOptional)) {
    if (const auto text = listen->text("address", Need::kOptional); text.given()) config.address = text.value;
    config.routine_port = port_of(*listen, "routine_port", config.routine_port);
    config.urgent_port = port_of(*listen, "urgent_port", config.urgent_port);
    listen->finish();
  }
  if (auto http = top.table("http", Need::kOptional)) {
    if (const auto text = http->text("address", Need::kOptional); text.given()) config.http_address = text.value;
    config.http_port = port_of(*http, "port", 0);
    http->finish();
  }
  if (auto limits = top.table("limits", Need::kOptional)) {
    config.pool_bytes = static_cast<std::size_t>(limits->integer("pool_mib", 16, 4096, Need::kOptional, 64)) << 20;
    config.refused_quota_bytes =
        static_cast<std::size_t>(limits->integer("refused_mib_per_day", 1, 4096, Need::kOptional, 64)) << 20;
    config.retention_days = static_cast<int>(limits->integer("retention_days", 1, 36500, Need::kOptional, 3 * 365));
    limits->finish();
  }
  top.finish();
  if (!mistakes.empty())
    return Error{Code::kConfig, file.string() + " has " + std::to_string(mistakes.size()) + " mistakes"};
  return config;
}

}  // namespace thalweg::app
