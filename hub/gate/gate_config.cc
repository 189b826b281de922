// gate_config.cc: see gate_config.h.
#include "gate/gate_config.h"

#include <fmt/format.h>

#include <toml++/toml.h>
#include <algorithm>
#include <set>
#include <sstream>

#include "model/ids.h"
#include "model/nearest.h"

namespace thalweg::gate {
namespace {

bool matches(const std::vector<std::string>& patterns, std::string_view value) {
  return std::any_of(patterns.begin(), patterns.end(), [&](std::string_view pattern) {
    if (pattern.ends_with('*')) return value.starts_with(pattern.substr(0, pattern.size() - 1));
    return value == pattern;
  });
}

/// One table of the file: reads by key, remembers which keys it knows, and notes what does not fit.
class Section {
 public:
  Section(const toml::table& table, std::string prefix, std::vector<ConfigMistake>& mistakes)
      : table_(table), prefix_(std::move(prefix)), mistakes_(mistakes) {}

  /// Every key that nobody asked for is a mistake.
  void finish() {
    std::vector<std::string> known(known_.begin(), known_.end());
    for (const auto& [key, node] : table_) {
      const std::string name(key.str());
      if (known_.contains(name)) continue;
      const auto near = nearest(name, known);
      note(node, name, near.empty() ? "未知的键" : "未知的键，是否为 " + near.front() + "？",
           near.empty() ? "unknown key" : "unknown key, did you mean " + near.front() + "?");
    }
  }

  void note(const toml::node& node, std::string_view key, std::string zh, std::string en) {
    mistakes_.push_back(
        {static_cast<int>(node.source().begin.line), prefix_ + std::string(key), std::move(zh), std::move(en)});
  }
  void missing(std::string_view key, std::string zh, std::string en) {
    note(table_, key, std::move(zh), std::move(en));
  }
  void no_code(std::string_view key) {
    missing(key, "须为 1 至 64 个字符：0-9 A-Z a-z . _ -", "1 to 64 of 0-9 A-Z a-z . _ -");
  }

  const toml::node* find(std::string_view key) {
    known_.insert(std::string(key));
    return table_.get(key);
  }

  bool text(std::string_view key, std::string& out) {
    const toml::node* node = find(key);
    if (node == nullptr) return false;
    if (const auto* value = node->as_string(); value != nullptr && !value->get().empty()) {
      out = value->get();
      return true;
    }
    note(*node, key, "须为非空文本", "must be a text that is not empty");
    return false;
  }

  bool texts(std::string_view key, std::vector<std::string>& out) {
    const toml::node* node = find(key);
    if (node == nullptr) return false;
    const auto* list = node->as_array();
    if (list == nullptr) {
      note(*node, key, "须为文本列表", "must be a list of texts");
      return false;
    }
    for (const toml::node& item : *list) {
      if (const auto* value = item.as_string(); value != nullptr && !value->get().empty()) {
        out.push_back(value->get());
      } else {
        note(item, key, "须为非空文本", "must be a text that is not empty");
      }
    }
    return true;
  }

  template <class Number>
  void number(std::string_view key, std::int64_t lowest, std::int64_t highest, std::int64_t unit, Number& out) {
    const toml::node* node = find(key);
    if (node == nullptr) return;
    const auto* value = node->as_integer();
    if (value == nullptr || value->get() < lowest || value->get() > highest) {
      note(*node, key, fmt::format("须为 {} 至 {} 的整数", lowest, highest),
           fmt::format("must be a whole number from {} to {}", lowest, highest));
      return;
    }
    out = static_cast<Number>(value->get() * unit);
  }

  const toml::table* table(std::string_view key) {
    const toml::node* node = find(key);
    if (node == nullptr) return nullptr;
    if (const auto* value = node->as_table()) return value;
    note(*node, key, "须为表", "must be a table");
    return nullptr;
  }

  const std::string& prefix() const { return prefix_; }
  std::vector<ConfigMistake>& mistakes() { return mistakes_; }

 private:
  const toml::table& table_;
  std::string prefix_;
  std::vector<ConfigMistake>& mistakes_;
  std::set<std::string> known_;
};

void read_filter(Section& adapter, std::string_view key, RecordFilter& out, bool& there) {
  const toml::table* table = adapter.table(key);
  there = table != nullptr;
  if (!there) return;
  Section section(*table, adapter.prefix() + std::string(key) + ".", adapter.mistakes());
  section.texts("types", out.types);
  if (out.types.empty()) section.missing("types", "至少写一种类型，或 \"*\"", "names at least one type, or \"*\"");
  section.texts("subjects", out.subjects);
  section.finish();
}

void read_limits(Section& adapter, RunnerLimits& out) {
  const toml::table* table = adapter.table("limits");
  if (table == nullptr) return;
  Section section(*table, adapter.prefix() + "limits.", adapter.mistakes());
  section.number("memory_mib", 0, 1 << 20, 1 << 20, out.memory_bytes);
  section.number("open_files", 0, 1 << 20, 1, out.open_files);
  section.number("deliver_batch", 1, 4096, 1, out.deliver_batch);
  section.number("deliver_timeout_s", 1, 3600, 1000, out.deliver_timeout_ms);
  section.number("restarts", 0, 1000, 1, out.restarts);
  section.number("restart_window_s", 1, 86400, 1000, out.restart_window_ms);
  section.finish();
}

void read_adapter_config(Section& section, FileSystem& files, const Path& folder, std::string& out) {
  std::string file;
  const toml::table* inline_table = section.table("config");
  const bool has_file = section.text("config_file", file);
  if (inline_table != nullptr && has_file) {
    section.missing("config_file", "config 与 config_file 只能写一个", "give either config or config_file");
  } else if (inline_table != nullptr) {
    std::ostringstream json;
    json << toml::json_formatter{*inline_table, toml::format_flags::quote_dates_and_times};
    out = json.str();
  } else if (has_file) {
    auto bytes = read_file(files, folder / file, 1 << 20);
    if (bytes) {
      out.assign(as_text(*bytes));
    } else {
      section.missing("config_file", bytes.error().message, bytes.error().message);
    }
  }
}

AdapterConfig read_adapter(const toml::table& table, std::size_t place, FileSystem& files, const GateConfig& gate,
                           std::vector<ConfigMistake>& mistakes) {
  Section section(table, fmt::format("adapter[{}].", place), mistakes);
  AdapterConfig adapter;
  if (!section.text("instance", adapter.instance)) {
    section.missing("instance", "缺少适配器实例名", "a name for this adapter is missing");
  } else if (!valid_code(adapter.instance)) {
    section.no_code("instance");
  }
  std::string library;
  const bool has_library = section.text("library", library);
  if (!section.text("plugin", adapter.plugin) && !has_library)
    section.missing("plugin", "缺少要运行的插件名", "names the plugin to run");
  if (has_library) {
    adapter.library = gate.folder / library;
  } else if (!adapter.plugin.empty()) {
    if (!valid_code(adapter.plugin))
      section.missing("plugin", "须为名称而非路径；路径写在 library", "a name, not a path; a path goes into library");
    adapter.library = gate.plugins / adapter.plugin / (adapter.plugin + ".so");
  }
  if (adapter.plugin.empty()) adapter.plugin = Path(library).stem().string();

  std::vector<std::string> lanes;
  if (section.texts("lanes", lanes)) {
    adapter.lanes = {false, false};
    if (lanes.empty()) section.missing("lanes", "须写 routine、urgent 或两者", "names routine, urgent or both");
    for (const std::string& lane : lanes) {
      if (auto parsed = lane_from(lane)) {
        adapter.lanes[static_cast<std::size_t>(*parsed)] = true;
      } else {
        section.missing("lanes", "'" + lane + "' 不是通道：须为 routine 或 urgent",
                        "'" + lane + "' is no lane: routine or urgent");
      }
    }
  }
  bool submits = false, receives = false;
  read_filter(section, "submit", adapter.submit, submits);
  read_filter(section, "receive", adapter.receive, receives);
  if (submits == receives) {
    section.missing("submit", "实例要么是来源（submit），要么是接收（receive）：须且只能写一个",
                    "an instance is a source (submit) or a sink (receive): give exactly one");
  }
  adapter.kind = submits ? "source" : "sink";
  read_adapter_config(section, files, gate.folder, adapter.config_json);
  read_limits(section, adapter.limits);
  section.finish();
  return adapter;
}

void read_retry(Section& root, GateConfig& config) {
  const toml::table* table = root.table("retry");
  if (table == nullptr) return;
  Section section(*table, "retry.", root.mistakes());
  for (Lane lane : {Lane::kRoutine, Lane::kUrgent}) {
    const toml::table* one = section.table(name(lane));
    if (one == nullptr) continue;
    RetryRule& rule = config.retry[static_cast<std::size_t>(lane)];
    Section keys(*one, fmt::format("retry.{}.", name(lane)), root.mistakes());
    keys.number("max_attempts", 1, 1'000'000, 1, rule.max_attempts);
    keys.number("max_age_s", 1, 365ll * 86400, 1000, rule.max_age_ms);
    keys.number("first_delay_ms", 1, 3'600'000, 1, rule.first_delay_ms);
    keys.number("longest_delay_ms", 1, 86'400'000, 1, rule.longest_delay_ms);
    keys.finish();
  }
  section.finish();
}

void read_limits(Section& root, GateConfig& config) {
  const toml::table* table = root.table("limits");
  if (table == nullptr) return;
  Section section(*table, "limits.", root.mistakes());
  section.number("outbox_mib", 16, 1 << 24, 1 << 20, config.outbox_bytes);
  section.number("inbox_mib", 16, 1 << 24, 1 << 20, config.inbox_bytes);
  section.number("inbox_credit_kib", 4096 + 64, 1 << 20, 1 << 10, config.inbox_credit_bytes);
  section.number("parcel_kib", 1, 4096 - 64, 1 << 10, config.parcel_bytes);
  section.number("parcel_records", 1, 4096, 1, config.parcel_records);
  section.number("keep_days", 1, 3650, 1, config.keep_days);
  section.number("origin_keys", 1000, 1 << 30, 1, config.origin_keys);
  section.number("reserve_percent", 0, 50, 1, config.reserve_percent);
  section.finish();
}

void read_hub(Section& root, GateConfig& config) {
  const toml::table* table = root.table("hub");
  config.hub_card = config.folder / "hub.card";
  if (table == nullptr) return;
  Section section(*table, "hub.", root.mistakes());
  std::string card;
  if (section.text("card", card)) config.hub_card = config.folder / card;
  for (Lane lane : {Lane::kRoutine, Lane::kUrgent}) {
    auto& addresses = config.hubs[static_cast<std::size_t>(lane)];
    section.texts(name(lane), addresses);
    for (const std::string& address : addresses) {
      const auto colon = address.rfind(':');
      if (colon == std::string::npos || colon == 0 || colon + 1 == address.size()) {
        section.missing(name(lane), "'" + address + "' 不是 主机:端口", "'" + address + "' is not HOST:PORT");
      }
    }
  }
  section.finish();
}

void read_all(const toml::table& table, FileSystem& files, GateConfig& config, std::vector<ConfigMistake>& mistakes) {
  Section root(table, "", mistakes);
  if (!root.text("party", config.party)) root.missing("party", "缺少主体代码", "the code of the party is missing");
  if (!config.party.empty() && !valid_code(config.party)) root.no_code("party");
  if (!root.text("gate", config.gate)) root.missing("gate", "缺少前置端名称", "the name of this gate is missing");
  if (!config.gate.empty() && !valid_code(config.gate)) root.no_code("gate");
  const auto path = [&](std::string_view key, std::string_view otherwise) {
    std::string value(otherwise);
    root.text(key, value);
    return value.empty() ? Path() : config.folder / value;
  };
  config.keys = path("keys", "keys");
  config.state = path("state", "state");
  config.plugins = path("plugins", "plugins");
  config.runner = path("runner", "");
  read_hub(root, config);
  read_limits(root, config);
  read_retry(root, config);
  if (const toml::table* http = root.table("http")) {
    Section section(*http, "http.", mistakes);
    section.text("address", config.http_address);
    section.number("port", 0, 65535, 1, config.http_port);
    section.finish();
  }
  root.number("utc_offset_minutes", -720, 840, 1, config.utc_offset_minutes);
  root.texts("people", config.people);
  root.texts("pins", config.pins);

  if (const toml::node* node = root.find("adapter")) {
    const auto* list = node->as_array();
    if (list == nullptr || !list->is_homogeneous<toml::table>()) {
      root.note(*node, "adapter", "须为 [[adapter]] 表", "must be [[adapter]] tables");
    } else {
      std::set<std::string> names;
      for (const toml::node& item : *list) {
        config.adapters.push_back(read_adapter(*item.as_table(), config.adapters.size() + 1, files, config, mistakes));
        if (!names.insert(config.adapters.back().instance).second) {
          root.note(item, "adapter.instance", "'" + config.adapters.back().instance + "' 重复使用",
                    "'" + config.adapters.back().instance + "' is used twice");
        }
      }
    }
  }
  root.finish();
}

}  // namespace

bool RecordFilter::admits(std::string_view type, std::string_view subject) const {
  return matches(types, type) && (subjects.empty() || matches(subjects, subject));
}

const AdapterConfig* GateConfig::adapter(std::string_view instance) const {
  for (const AdapterConfig& adapter : adapters) {
    if (adapter.instance == instance) return &adapter;
  }
  return nullptr;
}

Result<GateConfig> GateConfig::load(FileSystem& files, const Path& file, std::vector<ConfigMistake>& mistakes) {
  TW_ASSIGN(const Bytes bytes, read_file(files, file, 4 << 20));
  std::error_code ignored;
  const Path whole = std::filesystem::absolute(file, ignored);
  return parse(files, as_text(bytes), whole.parent_path(), mistakes);
}

Result<GateConfig> GateConfig::parse(FileSystem& files, std::string_view text, const Path& folder,
                                     std::vector<ConfigMistake>& mistakes) {
  GateConfig config;
  config.folder = folder;
  config.retry[static_cast<std::size_t>(Lane::kUrgent)] = {3, 600'000, 1000, 60'000};
  try {
    const toml::table table = toml::parse(text);
    read_all(table, files, config, mistakes);
  } catch (const toml::parse_error& error) {
    mistakes.push_back({static_cast<int>(error.source().begin.line), "",
                        "不是有效的 TOML：" + std::string(error.description()), std::string(error.description())});
  } catch (const std::exception& error) {
    mistakes.push_back({0, "", error.what(), error.what()});
  }
  if (!mistakes.empty())
    return Error{Code::kConfig,
                 fmt::format("gate.toml: correct {} line{}", mistakes.size(), mistakes.size() == 1 ? "" : "s")};
  return config;
}

std::string show(const Path& file, const std::vector<ConfigMistake>& mistakes, bool chinese) {
  std::string out;
  for (const ConfigMistake& mistake : mistakes) {
    out += file.string();
    if (mistake.line > 0) out += fmt::format(":{}", mistake.line);
    out += ": ";
    if (!mistake.key.empty()) out += mistake.key + ": ";
    out += (chinese ? mistake.zh : mistake.en) + "\n";
  }
  return out;
}

}  // namespace thalweg::gate
