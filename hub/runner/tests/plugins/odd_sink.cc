// odd_sink.cc: a sink that misbehaves as its configuration says: {"do": "accept" | "crash" | "hang" | "throw" |
// "forget" | "unavailable" | "refuse_config" | "reject" | "forge"}. Written to the C ABI, so that nothing catches what
// it throws.
#include <sys/socket.h>
#include <sys/un.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string>
#include <thread>

#include "thalweg/thalweg_plugin.h"

namespace {

struct Sink {
  const tw_host* host;
  std::string what = "accept";
  int starts = 0;
};
Sink& of(tw_instance* self) { return *reinterpret_cast<Sink*>(self); }

tw_status create(const tw_host* host, tw_str, tw_instance** out, tw_error*) {
  *out = reinterpret_cast<tw_instance*>(new Sink{host});
  return TW_OK;
}
tw_status configure(tw_instance* self, tw_str json, tw_error* error) {
  const std::string text(json.data, json.size);
  const auto at = text.find("\"do\"");
  if (at != std::string::npos) {
    const auto first = text.find('"', text.find(':', at)) + 1;
    of(self).what = text.substr(first, text.find('"', first) - first);
  }
  if (of(self).what != "refuse_config") return TW_OK;
  std::strcpy(error->message, "do: refused by intent");
  return TW_E_CONFIG;
}
/// Speaks to the gate itself, on the runner's socket: a REQUEST whose `cmd` is no text.
void forge() {
  const std::string body = std::string(8, '\0') + R"({"cmd":1,"state":[],"message":{},"exercise_aware":"x"})";
  std::string frame(5, '\7');
  const auto size = static_cast<std::uint32_t>(body.size() + 1);
  std::memcpy(frame.data(), &size, sizeof size);
  frame += body;
  for (int fd = 3; fd < 64; ++fd) {
    sockaddr_un far{};
    socklen_t length = sizeof far;
    if (::getpeername(fd, reinterpret_cast<sockaddr*>(&far), &length) != 0 || far.sun_family != AF_UNIX) continue;
    (void)!::send(fd, frame.data(), frame.size(), MSG_NOSIGNAL);
  }
}
tw_status start(tw_instance* self, tw_error* error) {
  if (of(self).what == "forge") forge();
  if (of(self).what == "unavailable" && ++of(self).starts < 3) {
    std::strcpy(error->message, "the far side sleeps");
    return TW_E_UNAVAILABLE;
  }
  return TW_OK;
}
tw_status deliver(tw_instance* self, const tw_record* const* records, std::uint32_t count, std::uint32_t,
                  tw_answer* const* answers, tw_error*) {
  Sink& sink = of(self);
  if (sink.what == "crash") std::abort();
  if (sink.what == "throw") throw std::runtime_error("the sink threw");
  while (sink.what == "hang") std::this_thread::yield();
  for (std::uint32_t i = 0; i < count; ++i) {
    if (sink.what == "forget" && i == 1) continue;
    if (sink.what == "reject") {
      answers[i]->verdict = TW_REJECTED;
      answers[i]->code = TW_E_DATA;
      std::strcpy(answers[i]->reason, "never");
      continue;
    }
    answers[i]->verdict = records[i]->type.size > 0 && records[i]->data.size > 0 ? TW_ACCEPTED : TW_REJECTED;
  }
  const char* line = "delivered";
  sink.host->log(sink.host->ctx, TW_LOG_WARNING, {line, std::strlen(line)});
  return TW_OK;
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
  mine.flags = TW_PLUGIN_EXERCISE_AWARE;
  mine.create = create;
  mine.configure = configure;
  mine.start = start;
  mine.deliver = deliver;
  mine.stop = stop;
  mine.destroy = destroy;
  std::memcpy(plugin, &mine, mine.struct_size);
  return TW_OK;
}
