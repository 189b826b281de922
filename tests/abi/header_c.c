/* Compiled as C11 and C17: the header is clean C, and every name can be used from it. */
#include "thalweg/thalweg_plugin.h"

tw_status thalweg_header_as_c(tw_plugin* plugin, tw_error* error);
tw_status thalweg_header_as_c(tw_plugin* plugin, tw_error* error) {
  tw_plugin_open_fn open = &thalweg_plugin_open;
  return open(TW_ABI_MAJOR, TW_ABI_MINOR, plugin, error);
}
