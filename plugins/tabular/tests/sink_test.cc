// The sink with the host in memory and real files.
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "../csv.h"
#include "../encoding.h"
#include "testkit/fake_host.h"

using namespace thalweg;
using namespace thalweg::tabular;
using nlohmann::json;
using thalweg::testkit::FakeHost;
using thalweg::testkit::Given;
namespace fs = std::filesystem;

namespace {

std::string content(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

struct Bench {
  explicit Bench(json more = json::object()) : config(std::move(more)) {
    char pattern[] = "/tmp/thalweg-tabular-XXXXXX";
    folder = mkdtemp(pattern);
    config["folder"] = folder.string();
    restart();
  }
  ~Bench() {
    host->stop();
    CHECK(host->breaches() == std::vector<std::string>{});
    fs::remove_all(folder);
  }
  /// A new process of the sink over the same files.
  void restart() {
    host = std::make_unique<FakeHost>(&thalweg_plugin_open, FakeHost::Options{.kind = "sink"});
    const Status done = host->configure(config.dump());
    INFO((done ? "" : done.error().message));
    REQUIRE(done);
    REQUIRE(host->start());
  }
  void take(const std::vector<Given>& records) {
    for (const auto& got : host->deliver(records)) {
      INFO(got.reason);
      CHECK(got.verdict == TW_ACCEPTED);
    }
  }
  std::vector<Row> rows(const fs::path& file) {
    const auto rows = parse_csv(*to_utf8(content(folder / file), Encoding::kAuto), ',');
    REQUIRE(rows);
    return *rows;
  }
  json config;
  fs::path folder;
  std::unique_ptr<FakeHost> host;
};

/// The cell of `row` under the header that begins with `header`.
std::string under(const std::vector<Row>& rows, std::size_t row, const std::string& header) {
  for (std::size_t i = 0; i < rows[0].cells.size(); ++i)
    if (rows[0].cells[i].substr(0, header.size()) == header) return rows.at(row).cells.at(i);
  return "no such column";
}

Given observation(std::uint8_t id, const std::string& factors =
                                       R"({"code":"w01009","text":"2.820","value":2.82,"unit":"mg/L","flag":"N"})") {
  Given g;
  g.id = {0x01, 0x99, 0, 0, 0, 0, 0x70, 0, 0x80, 0, 0, 0, 0, 0, 0, id};
  g.subject = "laixi-gaodong";
  g.time = "2026-09-23T06:00:00+08:00";
  g.time_unix_ns = 1790114400000000000;
  g.data =
      R"({"section":"laixi-gaodong","station":"A500226_0002","time":"2026-09-23T06:00:00+08:00","time_label":"instant",)"
      R"("mode":"automatic","review":"raw","published_class":"V","factors":[)" +
      factors + "]}";
  return g;
}

const fs::path kFile = "observation/laixi-gaodong/2026-09.csv";

}  // namespace

TEST_CASE("an observation becomes a row that a spreadsheet opens right", "[tabular][sink]") {
  Bench bench(json::object({{"names", {{"laixi-gaodong", "高洞电站"}}},
                            {"marks", {{{"factor", "w01009"}, {"below", 3}, {"text", "溶解氧低"}}}}}));
  bench.take({observation(
      1, R"({"code":"w01009","text":"2.820","value":2.82,"unit":"mg/L","flag":"N"},)"
         R"({"code":"w21003","text":"<0.01","value":null,"censored":"<","limit":0.01,"unit":"mg/L","flag":"D"},)"
         R"({"code":"w20115","text":"0.1","value":0.1,"unit":"ug/L"},)"
         R"({"code":"w21011","text":"95","value":95,"unit":"ug/L"},)"
         R"({"code":"w01009","text":"2.1","value":2.1,"unit":"mg/L","statistic":"min"})")});
  const std::string text = content(bench.folder / kFile);
  CHECK(text.substr(0, 3) == kUtf8Bom);
  CHECK(text.substr(text.size() - 2) == "\r\n");
  CHECK(std::count(text.begin(), text.end(), '\n') == 2);
  const auto rows = bench.rows(kFile);
  REQUIRE(rows.size() == 2);
  CHECK(rows[0].cells.front() == "演练 exercise");
  CHECK(rows[0].cells.back() == "记录编号 record id");
  CHECK(under(rows, 1, "时间") == "2026-09-23 06:00:00");
  CHECK(under(rows, 1, "名称") == "高洞电站");
  CHECK(under(rows, 1, "站点编号MN") == "A500226_0002");
  CHECK(under(rows, 1, "来源主体") == "=\"500153\"");
  CHECK(under(rows, 1, "溶解氧 dissolved oxygen(mg/L)") == "2.820");
  CHECK(under(rows, 1, "氨氮") == "<0.01");
  CHECK(under(rows, 1, "公布类别") == "V");
  CHECK(under(rows, 1, "提示") == "溶解氧低；溶解氧低");
  CHECK(under(rows, 1, "数据标记") == "w21003:D");
  CHECK(under(rows, 1, "其他因子") == "w20115=0.1 ug/L；w21011=95 ug/L；w01009-min=2.1 mg/L");
  CHECK(under(rows, 1, "总磷").empty());  // given in another unit than the header says
  CHECK(rows[1].cells.back() == "01990000-0000-7000-8000-000000000001");
}

TEST_CASE("the same record makes one row, also over a crash of the sink", "[tabular][sink]") {
  Bench bench;
  bench.take({observation(1), observation(1), observation(2)});
  bench.take({observation(2), observation(3)});
  CHECK(bench.rows(kFile).size() == 4);
  bench.restart();
  bench.take({observation(3), observation(1), observation(4)});
  CHECK(bench.rows(kFile).size() == 5);
}

TEST_CASE("half a row that a crash left is cut off and its record written anew", "[tabular][sink]") {
  Bench bench;
  bench.take({observation(1), observation(2)});
  const std::string whole = content(bench.folder / kFile);
  const std::size_t second = whole.rfind('\n', whole.size() - 2) + 1;
  const std::size_t header = whole.find('\n') + 1;
  for (std::size_t cut = 0; cut < whole.size(); ++cut) {
    if (cut % 3 != 0 && cut != header && cut != second) continue;  // each costs a start and syncs
    fs::resize_file(bench.folder / kFile, cut);
    bench.restart();
    std::vector<Given> again{
        observation(2)};  // what had not been answered comes again; before the second row, all of it
    if (cut < second) again.insert(again.begin(), observation(1));
    bench.take(again);
    INFO("cut at " << cut << " of " << whole.size() << ", header ends at " << header);
    REQUIRE(content(bench.folder / kFile) == whole);
  }
}

TEST_CASE("other processes and other columns do not get in the way", "[tabular][sink]") {
  Bench bench;
  bench.take({observation(1)});
  FakeHost urgent(&thalweg_plugin_open, {.kind = "sink", .lane = TW_LANE_URGENT});
  REQUIRE(urgent.configure(bench.config.dump()));
  REQUIRE(urgent.start());
  CHECK(urgent.deliver({observation(2)})[0].verdict == TW_ACCEPTED);
  bench.take({observation(3), observation(2)});
  CHECK(bench.rows(kFile).size() == 4);
  urgent.stop();
  bench.config["language"] = "en";
  bench.restart();
  bench.take({observation(4)});
  CHECK(bench.rows(kFile).size() == 4);
  CHECK(bench.rows("observation/laixi-gaodong/2026-09.2.csv").size() == 2);
}

TEST_CASE("GB18030 holds the same rows", "[tabular][sink]") {
  Bench bench(json::object({{"encoding", "gb18030"}, {"language", "zh"}, {"line_end", "lf"}}));
  bench.take({observation(1)});
  bench.restart();
  bench.take({observation(1), observation(2)});
  const std::string text = content(bench.folder / kFile);
  CHECK_FALSE(valid_utf8(text));
  CHECK(text.find('\r') == std::string::npos);
  const auto rows = bench.rows(kFile);
  REQUIRE(rows.size() == 3);
  CHECK(under(rows, 1, "溶解氧(mg/L)") == "2.820");
}

TEST_CASE("drills have files of their own and say so in every row", "[tabular][sink]") {
  Bench bench(
      json::object({{"columns", {{"observation", {{{"from", "@time"}}, {{"from", "w01009"}, {"header", "DO"}}}}}}}));
  Given drill = observation(1);
  drill.exercise = "drill-2026-1";
  bench.take({drill, observation(2)});
  const auto rows = bench.rows("observation/laixi-gaodong/演练-EXERCISE-drill-2026-1-2026-09.csv");
  REQUIRE(rows.size() == 2);
  CHECK(rows[0].cells == std::vector<std::string>{"演练 exercise", "时间 time", "DO", "记录编号 record id"});
  CHECK(rows[1].cells[0] == "drill-2026-1");
  CHECK(bench.rows(kFile).size() == 2);
  CHECK((bench.host->plugin().flags & TW_PLUGIN_EXERCISE_AWARE) != 0);
}

TEST_CASE("notices, enforcement records, receipts and unknown types have columns that people ask for",
          "[tabular][sink]") {
  Bench bench(json::object({{"pattern", "{family}.csv"}}));
  Given notice = observation(1), enforcement = observation(2), receipt = observation(3), other = observation(4);
  notice.type = "thalweg.emergency.notice.v1";
  notice.subject = "INC-1";
  notice.data =
      R"({"incident":"INC-1","kind":"search","learned_at":"2026-09-23T02:10:00+08:00","river":"laixi","place":"高洞",)"
      R"("contact":"张三","telephone":"02346731234","description":"=cmd|' /C calc'!A0\n水面有油膜","pollutants":[{"name":"柴油","amount":"约2吨"}],"unverified":["level","cause"]})";
  enforcement.type = "thalweg.enforcement.record.v1";
  enforcement.data =
      R"({"case":"C-7","kind":"finding","step":"found","at":"2026-09-22T22:00:00Z","parties":[{"code":"510521","role":"lead"},{"code":"500153","role":"partner"}],"sealed":true})";
  receipt.type = "thalweg.receipt.v1";
  receipt.data =
      R"({"record":"01990000-0000-7000-8000-000000000001","stage":"signed","party":"510521","officer":"李四","by":"phone","at":"2026-09-23T02:20:00+08:00"})";
  other.type = "org.example.thing.v1";
  other.data = R"({"a":1})";
  bench.take({notice, enforcement, receipt, other});
  auto rows = bench.rows("notice.csv");
  CHECK(under(rows, 1, "类别") == "溯源协查 search");
  CHECK(under(rows, 1, "基本情况") == "'=cmd|' /C calc'!A0 水面有油膜");
  CHECK(under(rows, 1, "联系电话") == "=\"02346731234\"");
  CHECK(under(rows, 1, "主要污染物") == "柴油 约2吨");
  CHECK(under(rows, 1, "待核实") == "level；cause");
  CHECK(under(rows, 1, "获知时间") == "2026-09-23 02:10:00");
  rows = bench.rows("enforcement.csv");
  CHECK(under(rows, 1, "环节") == "发现 found");
  CHECK(under(rows, 1, "时间") == "2026-09-23 06:00:00");
  CHECK(under(rows, 1, "参与主体") == "510521 lead；500153 partner");
  CHECK(under(rows, 1, "密封") == "是 true");
  CHECK(under(bench.rows("receipt.csv"), 1, "签收人") == "李四");
  CHECK(under(bench.rows("other.csv"), 1, "数据") == R"({"a":1})");
}

TEST_CASE("a record whose subject is hostile stays inside the folder", "[tabular][sink]") {
  Bench bench;
  Given g = observation(1);
  for (const char* subject : {"../../etc/passwd", "/etc/passwd", "..", "", "a\nb", "\xFF"}) {
    g.subject = subject;
    ++g.id[15];
    bench.take({g});
  }
  std::size_t files = 0;
  for (const auto& entry : fs::recursive_directory_iterator(bench.folder)) files += entry.is_regular_file() ? 1 : 0;
  CHECK(files == 5);  // the last and the empty one share a file named -
}

TEST_CASE("a record that cannot be shown is rejected alone", "[tabular][sink]") {
  Bench bench;
  Given bad = observation(2);
  bad.data = "[1]";
  const auto got = bench.host->deliver({observation(1), bad, observation(3)});
  CHECK(got[0].verdict == TW_ACCEPTED);
  CHECK(got[1].verdict == TW_REJECTED);
  CHECK(got[1].code == Code::kData);
  CHECK(got[2].verdict == TW_ACCEPTED);
}

TEST_CASE("a disk that cannot be written is a retry, and works once it can", "[tabular][sink]") {
  Bench bench;
  std::ofstream(bench.folder / "observation") << "a file where the folder should be";
  const auto got = bench.host->deliver({observation(1)});
  CHECK(got[0].verdict == TW_RETRY);
  CHECK(got[0].code == Code::kUnavailable);
  fs::remove(bench.folder / "observation");
  bench.take({observation(1)});
  CHECK(bench.rows(kFile).size() == 2);
}

TEST_CASE("the samples load", "[tabular][config]") {
  FakeHost sink(&thalweg_plugin_open, {.kind = "sink"});
  CHECK(sink.configure(content(PLUGIN_DIR "/sample_sink.json")));
  FakeHost source(&thalweg_plugin_open, {.kind = "source"});
  CHECK(source.configure(content(PLUGIN_DIR "/sample_source.json")));
}

TEST_CASE("a wrong configuration of the sink is refused with the key", "[tabular][config]") {
  const std::pair<const char*, const char*> cases[] = {
      {R"({})", "folder: is missing"},
      {R"({"folder":"/x","pattern":"/etc/{family}"})", "pattern: must stay inside"},
      {R"({"folder":"/x","pattern":"../{family}"})", "pattern: must stay inside"},
      {R"({"folder":"/x","pattern":"{family}/{hour}.csv"})", "not {hour}"},
      {R"({"folder":"/x","pattern":"all.csv"})", "pattern: needs {family}"},
      {R"({"folder":"/x","encoding":"auto"})", "encoding: must be utf-8 or gb18030"},
      {R"({"folder":"/x","columns":{"observation":[{"from":"w99999"}]}})", "columns.observation: no such column"},
      {R"({"folder":"/x","marks":[{"factor":"w01009","text":"t"}]})", "marks[0].below: or above is needed"},
  };
  for (const auto& [text, message] : cases) {
    FakeHost host(&thalweg_plugin_open, {.kind = "sink"});
    const Status done = host.configure(text);
    INFO(text);
    REQUIRE_FALSE(done);
    CHECK_THAT(done.error().message, Catch::Contains(message));
  }
}
