// Compiled as C++11, 14, 17 and 20: the header is clean C++ of every level.
#include "thalweg/thalweg_plugin.h"

tw_status thalweg_header_as_cpp(tw_plugin* plugin, tw_error* error);
tw_status thalweg_header_as_cpp(tw_plugin* plugin, tw_error* error) {
  tw_plugin_open_fn open = &thalweg_plugin_open;
  return open(TW_ABI_MAJOR, TW_ABI_MINOR, plugin, error);
}
