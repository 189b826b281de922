// mistakes_test.cc: whatever is wrong in a region's files is found, with file, line and key, all at once.
#include "small_region.h"

namespace thalweg::region {
namespace {

struct Case {
  std::string_view what;  ///< a sentence
  std::string file;
  std::string_view was, now;  ///< an empty `was` appends `now`
  std::string at;             ///< the line that holds this text is the one to be named
  std::string key;
  Code code;
  std::string says;  ///< somewhere in the English message
};

std::uint32_t line_of(const std::string& text, const std::string& part) {
  const std::size_t at = text.find(part);
  REQUIRE(at != std::string::npos);
  return static_cast<std::uint32_t>(std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at), '\n')) + 1;
}

void check(const Case& one) {
  Texts texts = one.was.empty() ? appended(small_region(), one.file, one.now)
                                : changed(small_region(), one.file, one.was, one.now);
  const std::vector<Mistake> mistakes = mistakes_of(texts);
  for (const Mistake& m : mistakes) UNSCOPED_INFO(m.text(Language::kEnglish));
  REQUIRE(mistakes.size() == 1);
  const Mistake& found = mistakes.front();
  CHECK(found.file == one.file);
  CHECK(found.line == line_of(texts[one.file], one.at));
  CHECK(found.key == one.key);
  CHECK(found.code == one.code);
  CHECK_THAT(found.message.en, Catch::Contains(one.says));
  CHECK_FALSE(found.message.zh.empty());
}

const Case kSyntax[] = {
    {"a file that is not TOML is named with its line", "parties.toml", "name = \"市局\"", "name = = \"市局\"",
     "= =", "", Code::kRegionSyntax, "is not TOML"},
    {"a key given twice in a table is no TOML", "sections.toml", "km = 10", "km = 10\nkm = 11", "km = 11", "",
     Code::kRegionSyntax, "redefine"},
    {"a misspelled key is named with the nearest known one", "parties.toml", "superior = \"city\"",
     "superiour = \"city\"", "superiour", "party[2].superiour", Code::kRegionKeyUnknown, "'superior'"},
    {"a misspelled table is a mistake", "rivers.toml", "", "[[rivers]]\ncode = \"x\"\n", "[[rivers]]", "rivers",
     Code::kRegionKeyUnknown, "'river'"},
    {"a key of a later version is not passed over", "region.toml", "code = \"small\"", "code = \"small\"\ncolour = 1",
     "colour", "colour", Code::kRegionKeyUnknown, "not known"},
    {"an unknown key of an inline table is a mistake", "rivers.toml", "km = 15 }", "km = 15, at = 3 }", "at = 3",
     "river[2].joins.at", Code::kRegionKeyUnknown, "'at'"},
};

const Case kValues[] = {
    {"another format is not read as if it were this one", "region.toml", "format = 1", "format = 2", "format", "format",
     Code::kRegionValue, "from 1 to 1"},
    {"a required key that is missing is named with its table", "parties.toml", "name = \"中县局\"\n", "",
     "[[party]]\ncode = \"mid\"", "party[3].name", Code::kRegionValue, "'name' is missing"},
    {"a code with a space is refused", "region.toml", "code = \"small\"", "code = \"sm all\"", "sm all", "code",
     Code::kRegionValue, "64 letters"},
    {"a number where a text belongs is refused", "parties.toml", "telephone = \"1\"", "telephone = 1", "telephone = 1",
     "party[2].telephone", Code::kRegionValue, "text in quotes"},
    {"an empty name is refused", "parties.toml", "name = \"上县局\"", "name = \"\"", "name = \"\"", "party[2].name",
     Code::kRegionValue, "empty"},
    {"a name that could steer a terminal is refused", "parties.toml", "name = \"上县局\"", "name = \"\\u001b[2J\"",
     "u001b", "party[2].name", Code::kRegionValue, "control characters"},
    {"a text where a list belongs is refused", "parties.toml", "old_codes = [\"up-old\"]", "old_codes = \"up-old\"",
     "old_codes", "party[2].old_codes", Code::kRegionValue, "list of texts"},
    {"an unknown kind is refused with the words there are", "parties.toml", "kind = \"river_chief\"",
     "kind = \"river_chef\"", "river_chef", "party[5].kind", Code::kRegionValue, "nearest: 'river_chief'"},
    {"a length below zero is refused", "rivers.toml", "length_km = 20", "length_km = -20", "-20",
     "river[1].reach[2].length_km", Code::kRegionValue, "must be a number"},
    {"a velocity that is not a number is refused", "rivers.toml", "velocity_m_s = 0.5", "velocity_m_s = nan", "nan",
     "river[1].reach[1].velocity_m_s", Code::kRegionValue, "must be a number"},
    {"a reach has one party or two banks, not both", "rivers.toml", "party = \"up\"",
     "party = \"up\"\nleft_bank = \"up\"", "party = \"up\"", "river[1].reach[1].party", Code::kRegionValue, "either"},
    {"a section outside of its reach is refused", "sections.toml", "km = 10", "km = 20.5", "km = 20.5", "section[1].km",
     Code::kRegionValue, "only 20 km long"},
    {"a confluence outside of its reach is refused", "rivers.toml", "km = 15", "km = 25", "km = 25",
     "river[2].joins.reach", Code::kRegionValue, "only 20 km long"},
    {"a dam outside of its reach is refused", "rivers.toml", "km = 3\n", "km = 21\n", "km = 21", "river[1].dam[1].km",
     Code::kRegionValue, "only 20 km long"},
    {"an unknown target class is refused", "sections.toml", "\"III\"", "\"VI\"", "\"VI\"", "section[1].target_class",
     Code::kRegionValue, "must be one of"},
    {"a date in quotes is refused", "agreements.toml", "2024-01-01", "\"2024-01-01\"", "\"2024-01-01\"",
     "agreement[2].valid_from", Code::kRegionValue, "without quotes"},
    {"a time without its offset is refused, not guessed", "agreements.toml", "2024-01-01", "2024-01-01T08:00:00",
     "2024-01-01T08", "agreement[2].valid_from", Code::kRegionValue, "with its offset"},
    {"an agreement that ends before it begins is refused", "agreements.toml", "valid_from = 2024-01-01",
     "valid_from = 2024-01-01\nvalid_to = 2023-12-30", "2023-12-30", "agreement[2].valid_to", Code::kRegionValue,
     "before it begins"},
    {"an agreement in force says since when", "agreements.toml", "valid_from = 2024-01-01\n", "",
     "[[agreement]]\nid = \"data\"", "agreement[2].valid_from", Code::kRegionValue, "missing"},
    {"an unknown topic is refused with the nearest", "agreements.toml", "\"section_data\"", "\"section_date\"",
     "section_date", "agreement[2].topics[1]", Code::kRegionValue, "nearest: 'section_data'"},
    {"a type of ours that is of no family is refused", "agreements.toml", "\"section_data\"",
     "\"thalweg.sektion.observation.v1\"", "sektion", "agreement[2].topics[1]", Code::kRegionValue, "not known"},
    {"receipts are no topic", "agreements.toml", "\"section_data\"", "\"thalweg.receipt.v1\"", "receipt",
     "agreement[2].topics[1]", Code::kRegionValue, "no agreement"},
    {"a scope of other words is refused", "agreements.toml", "scope = \"all\"", "scope = \"everything\"", "everything",
     "agreement[1].scope", Code::kRegionValue, "\"all\""},
    {"a scope that names no water is refused", "agreements.toml", "{ rivers = [\"main\"] }", "{ }", "{ }",
     "agreement[2].scope", Code::kRegionValue, "must name"},
    {"the urgent lane needs its topics", "agreements.toml", "topics = [\"section_data\"]",
     "topics = [\"section_data\"]\nlanes = [\"urgent\"]", "lanes", "agreement[2].lanes", Code::kRegionValue,
     "urgent_topics"},
    {"urgent topics need the urgent lane", "agreements.toml", "topics = [\"section_data\"]",
     "topics = [\"section_data\"]\nurgent_topics = [\"section_data\"]", "urgent_topics", "agreement[2].urgent_topics",
     Code::kRegionValue, "'lanes'"},
    {"an urgent topic is one of the topics", "agreements.toml", "topics = [\"section_data\"]",
     "topics = [\"section_data\"]\nlanes = [\"urgent\"]\nurgent_topics = [\"enforcement\"]", "urgent_topics",
     "agreement[2].urgent_topics[1]", Code::kRegionReference, "not covered"},
    {"a mutual agreement has no direction to name", "agreements.toml", "direction = \"mutual\"\n",
     "direction = \"mutual\"\nto = [\"low\"]\n", "to = [\"low\"]", "agreement[1].to", Code::kRegionValue, "one_way"},
    {"an agreement has two parties at least", "agreements.toml",
     "parties = [\"mid\", \"low\"]\ndirection = \"one_way\"\nfrom = [\"mid\"]\nto = [\"low\"]",
     "parties = [\"mid\"]\ndirection = \"mutual\"", "parties = [\"mid\"]", "agreement[2].parties", Code::kRegionValue,
     "two parties"},
    {"a bilateral agreement has two parties at most", "agreements.toml", "parties = [\"mid\", \"low\"]",
     "parties = [\"mid\", \"low\", \"up\"]", "\"low\", \"up\"]\ndirection = \"one_way\"", "agreement[2].parties",
     Code::kRegionValue, "two parties"},
    {"a duty by law cannot be suspended", "agreements.toml", "", R"([[agreement]]
id = "law2"
title = "t"
kind = "statutory"
citation = "c"
parties = ["up", "mid"]
direction = "mutual"
topics = ["emergency_notice"]
scope = "all"
status = "suspended"
valid_from = 2011-05-01
)",
     "suspended", "agreement[3].status", Code::kRegionValue, "cannot be suspended"},
    {"a duty by law has no last day", "agreements.toml", "valid_from = 2011-05-01",
     "valid_from = 2011-05-01\nvalid_to = 2099-01-01", "2099", "agreement[1].valid_to", Code::kRegionValue, "no end"},
    {"a duty by law names the law", "agreements.toml", "citation = \"第八条\"\n", "", "[[agreement]]\nid = \"law\"",
     "agreement[1].citation", Code::kRegionValue, "citation"},
};

const Case kReferences[] = {
    {"a superior that is nobody is refused with the nearest", "parties.toml", "superior = \"city\"",
     "superior = \"citi\"", "citi", "party[2].superior", Code::kRegionReference, "nearest: 'city'"},
    {"an old code is answered with the code to write", "agreements.toml", "[\"up\", \"mid\", \"low\"]",
     "[\"up-old\", \"mid\", \"low\", \"up\"]", "up-old", "agreement[1].parties[1]", Code::kRegionReference,
     "write the code, 'up'"},
    {"a basin that is not there is refused", "rivers.toml", "basin = \"basin\"", "basin = \"bassin\"", "bassin",
     "river[1].basin", Code::kRegionReference, "nearest: 'basin'"},
    {"a confluence with nothing is refused", "rivers.toml", "reach = \"main-2\", km = 15",
     "reach = \"main-9\", km = 15", "main-9", "river[2].joins.reach", Code::kRegionReference, "'main-2'"},
    {"a dam stands on its own river", "rivers.toml", "reach = \"main-2\"\nkm = 3", "reach = \"side-1\"\nkm = 3",
     "reach = \"side-1\"\nkm", "river[1].dam[1].reach", Code::kRegionReference, "another river"},
    {"a section's river is refused with the nearest", "sections.toml", "river = \"main\"", "river = \"mein\"", "mein",
     "section[1].river", Code::kRegionReference, "nearest: 'main'"},
    {"a section's reach is one of its river", "sections.toml", "river = \"main\"", "river = \"side\"",
     "reach =", "section[1].reach", Code::kRegionReference, "not of the river 'side'"},
    {"a section's party is one of the region", "sections.toml", "party = \"mid\"", "party = \"middle\"", "middle",
     "section[1].party", Code::kRegionReference, "'middle'"},
    {"a sender is a party to the agreement", "agreements.toml", "from = [\"mid\"]", "from = [\"up\"]",
     "from = [\"up\"]", "agreement[2].from", Code::kRegionReference, "not among"},
    {"a river of a scope is one of the region", "agreements.toml", "rivers = [\"main\"]", "rivers = [\"maim\"]", "maim",
     "agreement[2].scope.rivers[1]", Code::kRegionReference, "nearest: 'main'"},
    {"a section of a scope is one of the region", "agreements.toml", "rivers = [\"main\"]", "sections = [\"mid-ou\"]",
     "mid-ou", "agreement[2].scope.sections[1]", Code::kRegionReference, "nearest: 'mid-out'"},
    {"a signature is by a party to the agreement", "agreements.toml", "",
     "[[agreement.signature]]\nparty = \"up\"\nkey = \"k\"\nsignature = \"s\"\n", "party = \"up\"",
     "agreement[2].signature[1].party", Code::kRegionReference, "no party to this"},
};

const Case kDuplicates[] = {
    {"a party's code is its own", "parties.toml", "code = \"chief\"", "code = \"mid\"",
     "code = \"mid\"\nname = \"中县河长办\"", "party[5].code", Code::kRegionDuplicate, "parties.toml:19"},
    {"an alias that is another's code is refused", "parties.toml", "aliases = [\"上县\"]", "aliases = [\"city\"]",
     "aliases = [\"city\"]", "party[2].aliases[1]", Code::kRegionDuplicate, "parties.toml:2"},
    {"the hub's code is nobody else's", "parties.toml", "code = \"chief\"", "code = \"small-hub\"", "small-hub",
     "party[5].code", Code::kRegionDuplicate, "region.toml:5"},
    {"a reach's code is its own", "rivers.toml", "code = \"side-1\"", "code = \"main-3\"",
     "code = \"main-3\"\norder = 1", "river[2].reach[1].code", Code::kRegionDuplicate, "rivers.toml"},
    {"two reaches of a river do not have one place", "rivers.toml", "order = 3", "order = 2",
     "order = 2\nlength_km = 30", "river[1].reach[3].order", Code::kRegionDuplicate, "'main-2'"},
    {"a section's code is its own", "sections.toml", "",
     "[[section]]\ncode = \"mid-out\"\nname = \"二\"\nriver = \"main\"\nreach = \"main-1\"\nkm = 1\nparty = "
     "\"up\"\nkind = \"river\"\n",
     "code = \"mid-out\"\nname = \"二\"", "section[2].code", Code::kRegionDuplicate, "sections.toml:2"},
    {"a station number stands for one section at a time", "sections.toml", "",
     "[[section]]\ncode = \"s2\"\nname = \"二\"\nriver = \"main\"\nreach = \"main-1\"\nkm = 1\nparty = \"up\"\nkind = "
     "\"river\"\n"
     "[[section.station]]\nmn = \"A100\"\nfrom = 2024-01-01\n",
     "mn = \"A100\"\nfrom", "section[2].station[1].mn", Code::kRegionDuplicate, "'mid-out' at the same time"},
    {"a section's code is no other's station number", "sections.toml", "",
     "[[section]]\ncode = \"A100\"\nname = \"二\"\nriver = \"main\"\nreach = \"main-1\"\nkm = 1\nparty = \"up\"\nkind "
     "= \"river\"\n",
     "code = \"A100\"", "section[2].code", Code::kRegionDuplicate, "station number of section 'mid-out'"},
    {"an agreement's id is its own", "agreements.toml", "id = \"data\"", "id = \"law\"", "id = \"law\"\nversion",
     "agreement[2].id", Code::kRegionDuplicate, "agreements.toml:2"},
    {"a party is listed once", "agreements.toml", "[\"up\", \"mid\", \"low\"]", "[\"up\", \"mid\", \"low\", \"up\"]",
     "\"low\", \"up\"]", "agreement[1].parties[4]", Code::kRegionDuplicate, "listed twice"},
};

const Case kWater[] = {
    {"a river that flows back into itself is refused with its way", "rivers.toml", "[[river.dam]]",
     "[river.joins]\nreach = \"side-1\"\nkm = 1\n[[river.dam]]", "reach = \"side-1\"\nkm = 1", "river[1].joins.reach",
     Code::kRegionCycle, "main-2 → main-3 → side-1 → main-2"},
    {"nobody is above itself", "parties.toml", "code = \"city\"\n", "code = \"city\"\nsuperior = \"up\"\n",
     "superior = \"city\"", "party[2].superior", Code::kRegionCycle, "above itself"},
};

template <std::size_t N>
void check_all(const Case (&cases)[N]) {
  for (const Case& one : cases) DYNAMIC_SECTION(one.what) {
      check(one);
    }
}

}  // namespace

TEST_CASE("a file that cannot be read as a region says where", "[region]") { check_all(kSyntax); }
TEST_CASE("a value that is not allowed says what would be", "[region]") { check_all(kValues); }
TEST_CASE("a name that refers to nothing says what is near", "[region]") { check_all(kReferences); }
TEST_CASE("what is used twice says where it was used first", "[region]") { check_all(kDuplicates); }
TEST_CASE("water and offices do not go in circles", "[region]") { check_all(kWater); }

TEST_CASE("neighbours along the water without a statutory notice are named with the agreement to add", "[region]") {
  // up and mid touch on the main river, in both directions; nobody else is concerned.
  const Texts texts = changed(small_region(), "agreements.toml", "[\"up\", \"mid\", \"low\"]", "[\"mid\", \"low\"]");
  const std::vector<Mistake> mistakes = mistakes_of(texts);
  REQUIRE(mistakes.size() == 2);
  for (const Mistake& m : mistakes) {
    CHECK(m.code == Code::kRegionStatutoryMissing);
    CHECK(m.file == "agreements.toml");
    CHECK(m.line == line_of(texts.at("agreements.toml"), "valid_from = 2024-01-01") + 1);
  }
  CHECK_THAT(mistakes[0].message.en, Catch::Contains("from = [\"up\"], to = [\"mid\"]"));
  CHECK_THAT(mistakes[1].message.en, Catch::Contains("from = [\"mid\"], to = [\"up\"]"));
  CHECK_THAT(mistakes[0].message.en, Catch::Contains("rivers = [\"main\"]"));
}

TEST_CASE("a notice that is only proposed, or not by law, or for another river, leaves the gap open", "[region]") {
  const auto gaps = [](std::string_view was, std::string_view now) {
    const std::vector<Mistake> mistakes = mistakes_of(changed(small_region(), "agreements.toml", was, now));
    for (const Mistake& m : mistakes) CHECK(m.code == Code::kRegionStatutoryMissing);
    return mistakes.size();
  };
  CHECK(gaps("status = \"in_force\"", "status = \"proposed\"") == 4);  // up-mid and mid-low, each way
  CHECK(gaps("kind = \"statutory\"", "kind = \"multilateral\"") == 4);
  CHECK(gaps("\"emergency_notice\"", "\"enforcement\"") == 4);
  // mid and low touch on both rivers: as the agreement names only one of them, each way lacks the other.
  CHECK(gaps("scope = \"all\"", "scope = { rivers = [\"main\"] }") == 1);
  CHECK(gaps("direction = \"mutual\"", "direction = \"one_way\"\nfrom = [\"mid\"]\nto = [\"up\", \"low\"]") == 2);
}

TEST_CASE("a gap by date is found at its time, and never stops an old region from being read", "[region]") {
  const auto region = region_of(small_region());
  CHECK(statutory_gaps(*region, 1'700'000'000'000'000'000).empty());
  CHECK(statutory_gaps(*region, 1'000'000'000'000'000'000).size() == 4);  // 2001: before the law
}
}  // namespace thalweg::region
