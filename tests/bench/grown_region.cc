#include "bench/grown_region.h"

#include <fmt/format.h>

#include "bench/neighbours.h"
#include "region/load.h"

namespace thalweg::bench {
namespace {

constexpr std::size_t kPerRiver = 5;

std::string party(const std::string& code) {
  return fmt::format(
      "[[party]]\ncode = \"{0}\"\nname = \"主体{0}\"\nname_en = \"Party {0}\"\nkind = \"environment\"\nlevel = "
      "\"county\"\ntelephone = \"000-{0}\"\n\n",
      code);
}

std::string agreement(const std::string& id, const std::string& from, const std::string& to, const char* topics,
                      const std::string& section) {
  return fmt::format(
      "[[agreement]]\nid = \"{0}\"\ntitle = \"断面数据共享协议 {0}\"\ntitle_en = \"Sharing of section data {0}\"\nkind "
      "= "
      "\"bilateral\"\nparties = [\"{1}\", \"{2}\"]\ndirection = \"one_way\"\nfrom = [\"{1}\"]\nto = [\"{2}\"]\ntopics "
      "= "
      "[{3}]\nscope = {{ sections = [\"{4}\"] }}\nstatus = \"in_force\"\nvalid_from = 2024-01-01\n\n",
      id, from, to, topics, section);
}

}  // namespace

GrownRegion grown_region(std::size_t parties, std::size_t agreements) {
  GrownRegion grown;
  std::vector<region::Mistake> mistakes;
  grown.texts = region::read_texts(real_files(), laixi(), mistakes);
  grown.sections.emplace_back("500153", "laixi-gaodong");
  std::string& all = grown.texts["parties.toml"];
  all.clear();
  for (const char* code : {"500111", "500153", "510521"}) all += party(code);
  std::string others, in_turn;
  const std::size_t more = parties - 3;
  const auto code = [](std::size_t i) { return fmt::format("{:06}", 900'000 + i); };
  const auto section = [](std::size_t i) { return fmt::format("section-{}", i); };
  for (std::size_t i = 0; i < more; ++i) {
    all += party(code(i));
    others += fmt::format("{}\"{}\"", i == 0 ? "" : ", ", code(i));
    const std::size_t river = i / kPerRiver, order = i % kPerRiver + 1;
    if (order == 1)
      grown.texts["rivers.toml"] += fmt::format(
          "\n[[river]]\ncode = \"river-{0}\"\nname = \"河流{0}\"\nname_en = \"River {0}\"\nbasin = \"tuojiang\"\n",
          river);
    grown.texts["rivers.toml"] += fmt::format(
        "\n[[river.reach]]\ncode = \"reach-{}\"\norder = {}\nlength_km = 20.0\nvelocity_m_s = 0.3\nparty = \"{}\"\n", i,
        order, code(i));
    grown.texts["sections.toml"] += fmt::format(
        "\n[[section]]\ncode = \"{0}\"\nname = \"断面{1}\"\nname_en = \"Section {1}\"\nriver = \"river-{2}\"\nreach = "
        "\"reach-{1}\"\nkm = 10.0\nparty = \"{3}\"\nkind = \"river\"\nexpected_interval_minutes = 240\n",
        section(i), i, river, code(i));
  }
  std::string& agreed = grown.texts["agreements.toml"];
  std::size_t count = 6;
  if (more > 1) {
    agreed += fmt::format(
        "\n[[agreement]]\nid = \"statutory-others\"\ntitle = \"突发环境事件通报\"\nkind = \"statutory\"\ncitation = "
        "\"《突发环境事件信息报告办法》\"\nparties = [{}]\ndirection = \"mutual\"\ntopics = "
        "[\"emergency_notice\"]\nscope = "
        "\"all\"\nlanes = [\"routine\", \"urgent\"]\nurgent_topics = [\"emergency_notice\"]\nstatus = "
        "\"in_force\"\nvalid_from = 2011-05-01\n\n",
        others);
    ++count;
  }
  for (std::size_t i = 0; count + i < agreements; ++i) {
    const std::string id = fmt::format("more-{}", i);
    const std::size_t pair = i / 2, from = more == 0 ? 0 : pair % more;
    if (i % 2 == 1) {
      agreed += agreement(id, "500153", more == 0 ? "510521" : code(from), R"("section_data", "emergency_notice")",
                          more == 0 ? "laixi-yutan" : section(from));
    } else if (more < 2) {
      agreed += agreement(id, "500111", "510521", R"("section_data")", "laixi-yutan");
    } else {
      const std::size_t to = (from + 1 + pair / more % (more - 1)) % more;
      agreed += agreement(id, code(from), code(to), R"("section_data")", section(from));
      grown.sections.emplace_back(code(from), section(from));
    }
  }
  return grown;
}

}  // namespace thalweg::bench
