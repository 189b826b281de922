// packet.cc: HJ 212 from a station's socket, cut anywhere, up to the records that are made of it.
#include "base/invariant.h"
#include "plugins/hj212/observation.h"
#include "thalweg_factors_tsv.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace thalweg::hj212;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  static const thalweg::FactorTable factors{thalweg::kFactorsTsv};
  static const Station station = [] {
    Station out;
    out.mn = "A500226_0002";
    out.section = "laixi-gaodong";
    return out;
  }();
  std::vector<Framer::Found> found;
  Framer framer(4096);
  const std::size_t step = size == 0 ? 1 : 1 + data[0] % 64;
  for (std::size_t at = 0; at < size; at += step) framer.feed(bytes.substr(at, step), found);
  for (const auto& one : found) {
    if (!one.fault) (void)parse_segment(one.segment);
  }
  if (const auto packet = parse_segment(bytes)) {
    (void)answer(*packet, "9014");
    if (const auto made = observations(packet->cn, packet->fields, station, factors))
      for (const Observation& one : *made) THALWEG_INVARIANT(!one.time.empty() && !one.data.empty());
  }
  return 0;
}
