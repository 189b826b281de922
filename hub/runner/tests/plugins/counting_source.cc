// counting_source.cc: a source that submits {"count": N} records, offers again what was not taken, and logs at the end
// how many were accepted and how many of these were repeats.
#include <cstdlib>
#include <deque>
#include <string>
#include <vector>

#include "thalweg/cpp/record.h"
#include "thalweg/thalweg_plugin.h"

namespace {

struct Source {
  const tw_host* host;
  int count = 0;
  std::deque<int> open;  // still to be submitted
  int accepted = 0, repeated = 0, rejected = 0;
  bool told = false;
};
Source& of(tw_instance* self) { return *reinterpret_cast<Source*>(self); }

tw_status create(const tw_host* host, tw_str, tw_instance** out, tw_error*) {
  *out = reinterpret_cast<tw_instance*>(new Source{host, 0, {}, 0, 0, 0, false});
  return TW_OK;
}
tw_status configure(tw_instance* self, tw_str json, tw_error*) {
  const std::string text(json.data, json.size);
  const auto at = text.find("\"count\"");
  of(self).count = at == std::string::npos ? 1 : std::atoi(text.c_str() + text.find(':', at) + 1);
  return TW_OK;
}
tw_status start(tw_instance* self, tw_error*) {
  Source& source = of(self);
  for (int i = 0; i < source.count; ++i) source.open.push_back(i);
  return TW_OK;
}
tw_status poll(tw_instance* self, std::uint32_t, std::uint32_t* next_ms, tw_error*) {
  Source& source = of(self);
  while (!source.open.empty()) {
    std::vector<thalweg::Submission> batch;
    for (std::size_t i = 0; i < source.open.size() && i < 100; ++i) {
      thalweg::Submission one;
      const std::string n = std::to_string(source.open[i]);
      one.ticket = static_cast<std::uint64_t>(source.open[i]);
      one.type = "thalweg.section.observation.v1";
      one.subject = "laixi-gaodong";
      one.time = "2026-09-23T06:00:00+08:00";
      one.origin_key = "key-" + n;
      one.data = R"({"section":"laixi-gaodong","station":"A500226_0002","time":"2026-09-23T06:00:00+08:00",)"
                 R"("time_label":"instant","mode":"automatic","review":"raw","factors":[{"code":"w01009","text":")" +
                 n + R"(","value":)" + n + R"(,"unit":"mg/L","flag":"N"}]})";
      batch.push_back(one);
    }
    std::vector<tw_record> records;
    for (const auto& one : batch) {
      records.push_back(one.c());
      records.back().lane = source.host->lane;
    }
    std::vector<const tw_record*> pointers;
    for (const auto& record : records) pointers.push_back(&record);
    std::uint32_t taken = 0;
    const tw_status status = source.host->submit(source.host->ctx, pointers.data(),
                                                 static_cast<std::uint32_t>(pointers.size()), &taken, nullptr);
    source.open.erase(source.open.begin(), source.open.begin() + taken);
    if (status != TW_OK) break;
  }
  *next_ms = 50;
  return TW_OK;
}
void settled(tw_instance* self, const tw_settled* const* all, std::uint32_t count) {
  Source& source = of(self);
  for (std::uint32_t i = 0; i < count; ++i) {
    if (all[i]->verdict == TW_ACCEPTED) {
      ++source.accepted;
      if (all[i]->code == 110) ++source.repeated;
    } else if (all[i]->verdict == TW_REJECTED) {
      ++source.rejected;
    } else {
      source.open.push_back(static_cast<int>(all[i]->ticket));
    }
  }
  if (source.accepted + source.rejected < source.count || source.told) return;
  source.told = true;
  const std::string line = "accepted " + std::to_string(source.accepted) + " repeated " +
                           std::to_string(source.repeated) + " rejected " + std::to_string(source.rejected);
  source.host->log(source.host->ctx, TW_LOG_ERROR, {line.data(), line.size()});
}
void stop(tw_instance*, std::uint32_t) {}
void destroy(tw_instance* self) { delete &of(self); }

}  // namespace

extern "C" TW_EXPORT tw_status thalweg_plugin_open(uint32_t major, uint32_t, tw_plugin* plugin, tw_error*) {
  if (major != TW_ABI_MAJOR) return TW_E_ABI;
  tw_plugin mine;
  std::memset(&mine, 0, sizeof mine);
  mine.struct_size = sizeof mine < plugin->struct_size ? sizeof mine : plugin->struct_size;
  mine.abi_minor = TW_ABI_TARGET_MINOR;
  mine.create = create;
  mine.configure = configure;
  mine.start = start;
  mine.poll = poll;
  mine.settled = settled;
  mine.stop = stop;
  mine.destroy = destroy;
  std::memcpy(plugin, &mine, mine.struct_size);
  return TW_OK;
}
