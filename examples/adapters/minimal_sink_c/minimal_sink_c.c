/* A whole sink in C: appends the data of each record as one line to a file. See sdk/README.md. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "thalweg/thalweg_plugin.h"

struct tw_instance {
  char path[256];
  FILE* file;
};
static tw_status fail(tw_error* error, tw_status code, const char* why) {
  if (error) error->code = code, snprintf(error->message, sizeof error->message, "%s", why);
  return code;
}
static tw_status create(const tw_host* host, tw_str kind, tw_instance** out, tw_error* error) {
  if (!host || kind.size != 4 || memcmp(kind.data, "sink", 4)) return fail(error, TW_E_UNSUPPORTED, "this is a sink");
  *out = calloc(1, sizeof **out);
  return *out ? TW_OK : fail(error, TW_E_INTERNAL, "out of memory");
}
static tw_status configure(tw_instance* self, tw_str json, tw_error* error) {
  char text[512] = ""; /* {"file": "/path"}: the host has checked it against the schema in plugin.json */
  if (json.size < sizeof text) memcpy(text, json.data, json.size);
  const char* key = strstr(text, "\"file\"");
  if (!key || sscanf(key, "\"file\" : \"%255[^\"\\]\"", self->path) != 1)
    return fail(error, TW_E_CONFIG, "file: path?");
  return TW_OK;
}
static tw_status start(tw_instance* self, tw_error* error) {
  self->file = fopen(self->path, "ab");
  return self->file ? TW_OK : fail(error, TW_E_UNAVAILABLE, "cannot open the file");
}
static tw_status deliver(tw_instance* self, const tw_record* const* records, uint32_t count, uint32_t deadline_ms,
                         tw_answer* const* answers, tw_error* error) {
  (void)deadline_ms;
  for (uint32_t i = 0; i < count; ++i)
    fprintf(self->file, "%.*s\n", (int)records[i]->data.size, (const char*)records[i]->data.data);
  if (fflush(self->file) || fsync(fileno(self->file))) return fail(error, TW_E_UNAVAILABLE, "cannot write the file");
  for (uint32_t i = 0; i < count; ++i) answers[i]->verdict = TW_ACCEPTED; /* only now: it is on the disk */
  return TW_OK;
}
static void stop(tw_instance* self, uint32_t grace_ms) { (void)grace_ms, fclose(self->file); }
static void destroy(tw_instance* self) { free(self); }

tw_status thalweg_plugin_open(uint32_t abi_major, uint32_t host_minor, tw_plugin* plugin, tw_error* error) {
  if (abi_major != TW_ABI_MAJOR) return fail(error, TW_E_ABI, "this plugin speaks major 1");
  tw_plugin mine = {.abi_minor = TW_ABI_TARGET_MINOR, .create = create, .configure = configure, .start = start};
  mine.deliver = deliver, mine.stop = stop, mine.destroy = destroy, (void)host_minor;
  mine.struct_size = plugin->struct_size < sizeof mine ? plugin->struct_size : (uint32_t)sizeof mine;
  memcpy(plugin, &mine, mine.struct_size);
  return TW_OK;
}
