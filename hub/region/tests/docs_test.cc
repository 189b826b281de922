// docs_test.cc: docs/region.md names every key and every word that region files may use.
#include <catch2/catch.hpp>
#include <regex>

#include "base/file.h"
#include "region/vocabulary.h"

namespace thalweg::region {
namespace {

std::string text_of(const Path& path) {
  const auto bytes = read_file(real_files(), Path(THALWEG_SOURCE_DIR) / path, 1 << 20);
  REQUIRE(bytes.has_value());
  return std::string(as_text(*bytes));
}

template <class E>
void check_words(const std::string& page) {
  for (const Term<E>& term : terms<E>()) {
    CAPTURE(term.word);
    CHECK((term.word.empty() || page.find('`' + std::string(term.word) + '`') != std::string::npos ||
           page.find("`\"" + std::string(term.word) + "\"`") != std::string::npos));
  }
}

}  // namespace

TEST_CASE("the page on region folders has every word of the vocabulary", "[region][docs]") {
  const std::string page = text_of("docs/region.md");
  check_words<PartyKind>(page);
  check_words<PartyLevel>(page);
  check_words<DamKind>(page);
  check_words<SectionRank>(page);
  check_words<SectionKind>(page);
  check_words<AgreementKind>(page);
  check_words<AgreementStatus>(page);
  check_words<Direction>(page);
  check_words<Lane>(page);
  check_words<Family>(page);
}

TEST_CASE("the page on region folders has every key that is read", "[region][docs]") {
  const std::string page = text_of("docs/region.md");
  const std::regex read(R"((?:\.|->)(?:text|code|texts|integer|number|moment|word|table|tables)\("([a-z_]+)\")");
  std::size_t keys = 0;
  for (const char* name : {"build_parties.cc", "build_rivers.cc", "build_sections.cc", "build_agreements.cc"}) {
    const std::string source = text_of(Path("hub/region") / name);
    for (std::sregex_iterator at(source.begin(), source.end(), read), end; at != end; ++at, ++keys) {
      const std::string key = (*at)[1];
      CAPTURE(name, key);
      const bool stands = page.find('`' + key + '`') != std::string::npos ||
                          page.find('[' + key + ']') != std::string::npos ||
                          page.find('.' + key + ']') != std::string::npos ||
                          std::regex_search(page, std::regex("`\\{[^`]*\\b" + key + " ="));
      CHECK(stands);
    }
  }
  CHECK(keys > 60);
}

}  // namespace thalweg::region
