// The source with the host in memory and real files.
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "../encoding.h"
#include "testkit/fake_host.h"

using namespace thalweg;
using nlohmann::json;
using thalweg::testkit::FakeHost;
namespace fs = std::filesystem;

namespace {

std::string content(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

json sample() {
  json config = json::parse(content(PLUGIN_DIR "/sample_source.json"));
  config["settle_ms"] = 0;
  return config;
}

struct Bench {
  explicit Bench(json config = sample(), std::size_t room = 4096)
      : host(&thalweg_plugin_open, {.kind = "source", .room = room}) {
    char pattern[] = "/tmp/thalweg-tabular-XXXXXX";
    folder = mkdtemp(pattern);
    config["folder"] = folder.string();
    const Status done = host.configure(config.dump());
    INFO((done ? "" : done.error().message));
    REQUIRE(done);
    REQUIRE(host.start());
  }
  ~Bench() {
    host.stop();
    fs::remove_all(folder);
    CHECK(host.breaches() == std::vector<std::string>{});
  }
  void drop(const std::string& name, const std::string& text) {
    std::ofstream(folder / name, std::ios::binary) << text;
  }
  fs::path folder;
  FakeHost host;
};

const std::string kHeader =
    "抓取年份,断面名称,监测时间,水质类别,水温(℃),pH(无量纲),溶解氧(mg/L),电导率(μS/cm),浊度(NTU),高锰酸盐指数(mg/"
    "L),氨氮(mg/L),总磷(mg/L),总氮(mg/L)\n";

}  // namespace

TEST_CASE("a published table becomes records of the sections that the mapping names", "[tabular][source]") {
  for (const bool gb18030 : {false, true}) {
    Bench bench;
    std::string text = content(PLUGIN_DIR "/testdata/cnemc.csv");
    if (gb18030) text = *tabular::to_gb18030(text);
    bench.drop("cnemc.csv", text);
    REQUIRE(bench.host.poll());
    const auto records = bench.host.submitted();
    REQUIRE(records.size() >= 8);
    const json first = json::parse(records[0].data);
    CHECK(records[0].subject == "laixi-yutan");
    CHECK(first["factors"].empty());  // a station without any value: -- is missing, not 0
    CHECK_FALSE(first.contains("published_class"));
    const json second = json::parse(records[1].data);
    CHECK(second["section"] == "laixi-gaodong");
    CHECK(second["time"] == "2026-08-26T13:00:00+08:00");
    CHECK(second["published_class"] == "III");
    CHECK(second["factors"][7]["text"] == "0.050");
    CHECK(second["factors"][7]["value"] == 0.05);
    CHECK(fs::exists(bench.folder / "cnemc.csv"));  // not before every row is safe
    bench.host.settle_all();
    REQUIRE(bench.host.poll());
    CHECK_FALSE(fs::exists(bench.folder / "cnemc.csv"));
    CHECK(content(bench.folder / "done" / "cnemc.csv") == text);
    CHECK(fs::is_empty(bench.folder / "rejected"));
  }
}

TEST_CASE("rows that are refused are written down with the reason, the others go through", "[tabular][source]") {
  json config = sample();
  config["mapping"]["skip_other_subjects"] = false;
  Bench bench(config);
  bench.drop("t.csv", kHeader + "2026,高洞电站,09-23 06:00,5,26.1,7.32,2.82,,,,,,\n" +
                          "2026,别处,09-23 06:00,5,,,,,,,,,\n" + "26,高洞电站,09-23 06:00,5,,,,,,,,,\n" +
                          "2026,高洞电站,02-30 06:00,5,,,,,,,,,\n" + "2026,玉滩水库,09-23 07:00,,\"=1+1\",,,,,,,,\n");
  REQUIRE(bench.host.poll());
  REQUIRE(bench.host.submitted().size() == 2);
  bench.host.settle(1);
  bench.host.settle(1, TW_REJECTED, Code::kSectionUnknown, "section laixi-yutan is not known");
  REQUIRE(bench.host.poll());
  CHECK(fs::exists(bench.folder / "done" / "t.csv"));
  const std::string rejected = content(bench.folder / "rejected" / "t.csv");
  CHECK_THAT(rejected, Catch::Contains("\r\n3,106,") && Catch::Contains("别处"));
  CHECK_THAT(rejected, Catch::Contains("\r\n4,1102,"));
  CHECK_THAT(rejected, Catch::Contains("\r\n5,9,"));
  CHECK_THAT(rejected, Catch::Contains("\r\n6,106,section laixi-yutan is not known") && Catch::Contains("'=1+1"));
}

TEST_CASE("a table that cannot be moved yet has its refused rows written down once", "[tabular][source]") {
  Bench bench;
  bench.drop("t.csv",
             kHeader + "2026,高洞电站,09-23 06:00,5,26.1,7.32,2.82,,,,,,\n" + "26,高洞电站,09-23 06:00,5,,,,,,,,,\n");
  REQUIRE(bench.host.poll());
  bench.host.settle_all();
  fs::rename(bench.folder / "done", bench.folder / "away");
  for (int i = 0; i < 5; ++i) CHECK_FALSE(bench.host.poll());
  CHECK(std::distance(fs::directory_iterator(bench.folder / "rejected"), fs::directory_iterator()) == 1);
  fs::rename(bench.folder / "away", bench.folder / "done");
  REQUIRE(bench.host.poll());
  CHECK(fs::exists(bench.folder / "done" / "t.csv"));
  CHECK(std::distance(fs::directory_iterator(bench.folder / "rejected"), fs::directory_iterator()) == 1);
}

TEST_CASE("after a crash the same rows have the same keys", "[tabular][source]") {
  Bench bench;
  const std::string text =
      kHeader + "2026,高洞电站,09-23 06:00,5,26.1,,,,,,,,\n2026,高洞电站,09-23 07:00,5,26.1,,,,,,,,\n";
  bench.drop("t.csv", text);
  REQUIRE(bench.host.poll());
  bench.host.settle(1);
  bench.host.stop();  // one row was accepted, one not, the file still lies there
  REQUIRE(bench.host.start());
  REQUIRE(bench.host.poll());
  CHECK(bench.host.submitted().size() == 2);
  bench.host.settle_all();
  REQUIRE(bench.host.poll());
  CHECK(bench.host.accepted().size() == 3);
  CHECK(bench.host.accepted_keys().size() == 2);
  CHECK(fs::exists(bench.folder / "done" / "t.csv"));
}

TEST_CASE("keys may be made from the row, for tables that grow", "[tabular][source]") {
  json config = sample();
  config["origin_key"] = "row";
  Bench bench(config);
  const std::string row = "2026,高洞电站,09-23 06:00,5,26.1,,,,,,,,\n";
  bench.drop("a.csv", kHeader + row);
  bench.drop("b.csv", kHeader + row + "2026,高洞电站,09-23 07:00,5,26.1,,,,,,,,\n");
  for (int i = 0; i < 3; ++i) {
    REQUIRE(bench.host.poll());
    bench.host.settle_all();
  }
  CHECK(bench.host.accepted().size() == 3);
  CHECK(bench.host.accepted_keys().size() == 2);
}

TEST_CASE("little room and retries lose nothing", "[tabular][source]") {
  Bench bench(sample(), /*room=*/3);
  std::string text = kHeader;
  for (int hour = 0; hour < 20; ++hour)
    text += "2026,高洞电站,09-23 " + std::to_string(hour / 10) + std::to_string(hour % 10) + ":00,5,26.1,,,,,,,,\n";
  bench.drop("t.csv", text);
  for (int i = 0; i < 40 && !fs::exists(bench.folder / "done" / "t.csv"); ++i) {
    REQUIRE(bench.host.poll());
    CHECK(bench.host.submitted().size() <= 3);
    bench.host.settle(1, i % 3 == 0 ? TW_RETRY : TW_ACCEPTED);
    bench.host.settle_all();
  }
  CHECK(fs::exists(bench.folder / "done" / "t.csv"));
  CHECK(bench.host.accepted_keys().size() == 20);
}

TEST_CASE("a file that is no such table is set aside with the reason, the next one is read", "[tabular][source]") {
  Bench bench;
  bench.drop("a.csv", "x,y\n1,2\n");
  bench.drop("b.csv", "");
  bench.drop("c.csv", std::string("断面\xFF\xFF\n", 9));
  bench.drop("d.csv", kHeader + "2026,高洞电站,09-23 06:00,5,26.1,,,,,,,,\n");
  bench.drop("notes.txt", "not mine");
  bench.drop(".hidden.csv", "not mine");
  REQUIRE(bench.host.poll());
  CHECK(bench.host.submitted().size() == 1);
  for (const char* name : {"a.csv", "b.csv", "c.csv"}) {
    CHECK(fs::exists(bench.folder / "rejected" / name));
    CHECK(fs::exists(bench.folder / "rejected" / (std::string(name) + ".reason.txt")));
  }
  CHECK_THAT(content(bench.folder / "rejected" / "a.csv.reason.txt"),
             Catch::StartsWith("1104 ") && Catch::Contains("监测时间") && Catch::Contains("断面名称"));
  CHECK(fs::exists(bench.folder / "notes.txt"));
  CHECK(fs::exists(bench.folder / ".hidden.csv"));
}

TEST_CASE("a file that is still being written is left alone", "[tabular][source]") {
  json config = sample();
  config["settle_ms"] = 3'600'000;
  Bench bench(config);
  bench.drop("t.csv", kHeader);
  REQUIRE(bench.host.poll());
  CHECK(fs::exists(bench.folder / "t.csv"));
}

TEST_CASE("a table of another family is mapped member by member, and bears its exercise", "[tabular][source]") {
  const json config = json::parse(R"({"settle_ms":0,"mapping":{
    "type":"thalweg.emergency.notice.v1","subject":{"column":"事件"},"exercise_column":"演练",
    "time":{"column":"获知时间","member":"learned_at"},
    "members":{"incident":{"column":"事件"},"kind":{"column":"类别","values":{"预警":"warning"}},
               "river":{"value":"laixi"},"contact":{"column":"联系人"},"telephone":{"column":"电话"}}}})");
  Bench bench(config);
  bench.drop("t.csv",
             "事件,类别,获知时间,联系人,电话,演练\nINC-1,预警,2026-09-23 06:00,张三,=\"13800000000\",drill-1\n");
  REQUIRE(bench.host.poll());
  REQUIRE(bench.host.submitted().size() == 1);
  const Submission record = bench.host.submitted()[0];
  CHECK(record.type == "thalweg.emergency.notice.v1");
  CHECK(record.subject == "INC-1");
  CHECK(record.exercise == "drill-1");
  CHECK(json::parse(record.data) == json({{"incident", "INC-1"},
                                          {"kind", "warning"},
                                          {"river", "laixi"},
                                          {"contact", "张三"},
                                          {"telephone", "13800000000"},
                                          {"learned_at", "2026-09-23T06:00:00+08:00"}}));
}

TEST_CASE("a wrong configuration of the source is refused with the key", "[tabular][config]") {
  const std::pair<const char*, const char*> cases[] = {
      {R"({})", "folder: is missing"},
      {R"({"folder":"/x"})", "mapping: or mapping_file"},
      {R"({"folder":"/x","mapping_file":"/nowhere.json"})", "mapping_file: cannot be read"},
      {R"({"folder":"/x","mapping":{}})", "mapping.time: is missing"},
      {R"({"folder":"/x","mapping":{"time":{"column":"t"}}})", "mapping.section: is missing"},
      {R"({"folder":"/x","mapping":{"time":{"column":"t"},"section":{"value":"s"}}})", "mapping.factors: must name"},
      {R"({"folder":"/x","mapping":{"time":{"column":"t"},"section":{"value":"s"},"factors":[{"column":"c","code":"w99999"}]}})",
       "mapping.factors[0].code: is not in the factor dictionary"},
      {R"({"folder":"/x","mapping":{"time":{"column":"t"},"section":{"value":"s"},"time_label":"start","factors":[]}})",
       "mapping.period: is needed"},
      {R"({"folder":"/x","colour":1})", "colour: is not an option"},
      {R"({"folder":"/x","encoding":"latin1","mapping":{}})", "encoding: must be one of"},
  };
  for (const auto& [text, message] : cases) {
    FakeHost host(&thalweg_plugin_open, {.kind = "source"});
    const Status done = host.configure(text);
    INFO(text);
    REQUIRE_FALSE(done);
    CHECK(done.error().code == Code::kConfig);
    CHECK_THAT(done.error().message, Catch::Contains(message));
  }
}
