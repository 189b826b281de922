// The plugin: both kinds.
#include "tabular_sink.h"
#include "tabular_source.h"

THALWEG_SOURCE_AND_SINK(thalweg::tabular::TabularSource, thalweg::tabular::TabularSink)
