// region.cc: the TOML files of a region, which operators are sent by others. Form feeds stand between the five files.
#include "base/invariant.h"
#include "region/load.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace thalweg;
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  region::Texts texts;
  for (const char* name : {"region.toml", "parties.toml", "rivers.toml", "sections.toml", "agreements.toml"}) {
    const std::size_t end = std::min(rest.find('\f'), rest.size());
    texts[name] = std::string(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  std::vector<region::Mistake> mistakes;
  const auto region = region::load(std::move(texts), mistakes);
  THALWEG_INVARIANT(region.has_value() == mistakes.empty());
  for (const region::Mistake& mistake : mistakes) THALWEG_INVARIANT(!mistake.text(region::Language::kChinese).empty());
  return 0;
}
