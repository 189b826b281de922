// restore_test.cc: a machine set back to an older copy of its disk loses and doubles nothing in any inbox (rules 8,
// 12).
#include <catch2/catch.hpp>
#include <filesystem>

#include "ledger/verify.h"
#include "support/exchange.h"

using namespace thalweg;
namespace fs = std::filesystem;

namespace {

struct Restored : Exchange {
  Restored() {
    start_hub();
    enrol("dazu", "500111");
    enrol("rongchang", "500153");
    enrol("luxian", "510521");
    start_gates();
  }
  ~Restored() { stop_gates(); }

  void start_gates() {
    for (const char* name : {"dazu", "rongchang", "luxian"}) start_gate(name);
  }
  void stop_gates() {
    for (const char* name : {"dazu", "rongchang", "luxian"}) stop_gate(name);
  }
  /// The program of `name` does not run.
  void copy(const std::string& name) {
    fs::remove_all(path("copy-" + name));
    fs::copy(path(name) / "state", path("copy-" + name), fs::copy_options::recursive);
  }
  void put_back(const std::string& name) {
    fs::remove_all(path(name) / "state");
    fs::copy(path("copy-" + name), path(name) / "state", fs::copy_options::recursive);
  }

  /// Publishes `count` records of a gate, one by one so that each is a parcel of its own, and remembers them.
  void send(const std::string& name, int count, const std::string& lane = "routine") {
    for (int i = 0; i < count; ++i) repeat(name, lane, ++made_);
  }
  void repeat(const std::string& name, const std::string& lane, int key) {
    const json sent = publish(name, json::array({draft(name, lane, key)}));
    INFO(sent.dump());
    REQUIRE(sent["all_accepted"] == true);
    std::vector<std::string>& ids = sent_[{name, lane}];
    const std::string id = sent["settled"][0]["id"];
    if (std::find(ids.begin(), ids.end(), id) == ids.end()) ids.push_back(id);
  }
  /// What a source brings again after the key `before`, and `more` new ones behind it, all in one parcel.
  void repeat_together(const std::string& name, int before, int more) {
    json drafts = json::array();
    for (int key = before + 1; key <= made_ + more; ++key) drafts.push_back(draft(name, "routine", key));
    made_ += more;
    const json answer = publish(name, drafts);
    REQUIRE(answer["all_accepted"] == true);
    std::vector<std::string>& ids = sent_[{name, "routine"}];
    for (const json& one : answer["settled"])
      if (const std::string id = one["id"]; std::find(ids.begin(), ids.end(), id) == ids.end()) ids.push_back(id);
  }
  int last_key() const { return made_; }

  /// What `to` holds of `from`, in the order in which it came.
  std::vector<std::string> held(const std::string& to, const std::string& from, const std::string& lane = "routine") {
    const std::string party = from == "dazu" ? "500111" : from == "rongchang" ? "500153" : "510521";
    std::vector<std::string> ids;
    for (const json& record : inbox(to, 10000))
      if (record["from"] == party && record["lane"] == lane) ids.insert(ids.begin(), record["id"]);
    return ids;
  }
  std::vector<std::string> sent(const std::string& from, const std::string& lane = "routine") {
    return sent_[{from, lane}];
  }

  /// Everything is where it belongs, once and in order, when the last record of each has arrived.
  void check_all() {
    struct Way {
      const char *from, *to, *lane;
    };
    for (const Way way : {Way{"dazu", "rongchang", "routine"}, Way{"rongchang", "dazu", "routine"},
                          Way{"rongchang", "luxian", "routine"}, Way{"luxian", "rongchang", "routine"},
                          Way{"rongchang", "luxian", "urgent"}}) {
      INFO(way.from << " to " << way.to << ", " << way.lane);
      const auto wanted = sent(way.from, way.lane);
      CHECK(eventually([&] { return held(way.to, way.from, way.lane).size() >= wanted.size(); }));
      CHECK(held(way.to, way.from, way.lane) == wanted);
    }
  }

  bool connected(const std::string& name) {
    const json status = ask_gate(name, {{"cmd", "status"}});
    for (const json& lane : status["lanes"])
      if (lane["link"]["open"] != true) return false;
    return true;
  }

 private:
  static json draft(const std::string& name, const std::string& lane, int key) {
    const std::string number = std::to_string(key);
    if (lane == "urgent") {
      json notice = notice_draft("warning", "incident-" + number);
      notice["origin_key"] = "n" + number;
      return notice;
    }
    if (name == "luxian")
      return {{"type", "thalweg.enforcement.record.v1"},
              {"subject", "case-" + number},
              {"time", "2026-09-23T09:00:00+08:00"},
              {"origin_key", "e" + number},
              {"data",
               {{"case", "case-" + number},
                {"kind", "joint_patrol"},
                {"step", "found"},
                {"at", "2026-09-23T09:00:00+08:00"},
                {"parties", {{{"code", "510521"}, {"role", "lead"}}, {{"code", "500153"}, {"role", "partner"}}}}}}};
    json reading = observation_draft("o" + number);
    if (name == "dazu") {
      reading["subject"] = "laixi-yutan";
      reading["data"]["section"] = "laixi-yutan";
      reading["data"]["station"] = "A500000_2013";
    }
    return reading;
  }

  int made_ = 0;
  std::map<std::pair<std::string, std::string>, std::vector<std::string>> sent_;
};

}  // namespace

TEST_CASE("a hub set back to an older copy is refilled by its gates, no inbox loses or doubles anything") {
  Restored x;
  const auto everybody = [&](int count) {
    x.send("dazu", count);
    x.send("rongchang", count);
    x.send("luxian", count);
    x.send("rongchang", count, "urgent");
  };
  everybody(4);
  x.check_all();
  x.stop_hub();
  x.copy("hub");
  x.start_hub();
  everybody(5);
  x.check_all();
  x.stop_hub();
  x.put_back("hub");
  x.start_hub();
  everybody(3);
  x.check_all();
  const json status = x.ask_hub({{"cmd", "status"}});
  INFO(status.dump());
  for (const char* lane : {"routine", "urgent"}) CHECK(status["lanes"][lane]["epoch"] > 0);

  SECTION("and the same copy once more") {
    x.stop_hub();
    x.put_back("hub");
    x.start_hub();
    everybody(3);
    x.check_all();
  }
  SECTION("and a receiver that comes with an older copy too") {
    x.stop_gate("rongchang");
    x.copy("rongchang");
    x.start_gate("rongchang");
    everybody(2);
    x.check_all();
    x.stop_gate("rongchang");
    x.put_back("rongchang");
    x.start_gate("rongchang");
    x.send("dazu", 1);
    x.send("luxian", 1);
    x.check_all();
  }
}

TEST_CASE("a restored hub that wrote as much as it had lost before the receiver came back gives it all the same") {
  Restored x;
  x.send("luxian", 3);
  x.send("dazu", 2);
  x.check_all();
  x.stop_hub();
  x.copy("hub");
  x.start_hub();
  x.send("dazu", 5);
  x.check_all();
  x.stop_hub();
  x.put_back("hub");
  x.stop_gates();
  x.start_hub();
  // Only 泸县 is there, and it knows of nothing that was lost: its records take the numbers of 大足's.
  x.start_gate("luxian");
  x.send("luxian", 9);
  REQUIRE(eventually([&] { return x.ask_hub({{"cmd", "status"}})["lanes"]["routine"]["records"] >= 9; }));
  x.start_gate("rongchang");
  REQUIRE(eventually([&] { return x.held("rongchang", "luxian").size() == 12; }));
  x.start_gate("dazu");
  x.send("dazu", 2);
  x.check_all();
}

TEST_CASE("a receiver that was behind when the hub was set back goes on in the new epoch") {
  Restored x;
  x.send("rongchang", 3);
  x.check_all();
  x.stop_gate("luxian");
  x.send("rongchang", 4);  // wait for 泸县 in the epoch that ends
  REQUIRE(eventually([&] { return x.held("dazu", "rongchang").size() == 7; }));
  x.stop_hub();
  x.copy("hub");
  x.start_hub();
  x.send("rongchang", 2);
  REQUIRE(eventually([&] { return x.held("dazu", "rongchang").size() == 9; }));
  x.stop_hub();
  x.put_back("hub");
  x.start_hub();
  x.send("rongchang", 2);
  x.start_gate("luxian");
  x.check_all();
}

TEST_CASE("a sending gate set back to an older copy begins a new stream, what its sources bring again is known") {
  Restored x;
  x.send("rongchang", 4);
  x.check_all();
  x.stop_gate("rongchang");
  x.copy("rongchang");
  x.start_gate("rongchang");
  const int before = x.last_key();
  x.send("rongchang", 5);
  x.send("rongchang", 2, "urgent");
  x.check_all();
  x.stop_gate("rongchang");
  x.put_back("rongchang");
  SECTION("connected at once") {
    x.start_gate("rongchang");
    REQUIRE(eventually([&] { return x.connected("rongchang"); }));
  }
  SECTION("with new parcels under the old numbers before the hub is reached") {
    x.stop_hub();
    x.start_gate("rongchang");
    x.send("rongchang", 7);
    x.start_hub();
  }
  for (int key = before + 1; key <= before + 5; ++key) x.repeat("rongchang", "routine", key);
  for (int key = before + 6; key <= before + 7; ++key) x.repeat("rongchang", "urgent", key);
  x.send("rongchang", 3);
  x.send("rongchang", 1, "urgent");
  x.check_all();
}

TEST_CASE("a sending gate and the hub set back one after the other double nothing in an inbox") {
  Restored x;
  x.send("rongchang", 2);
  x.send("rongchang", 1, "urgent");
  x.check_all();
  x.stop_gate("rongchang");
  x.copy("rongchang");
  x.start_gate("rongchang");
  x.stop_hub();
  x.copy("hub");
  x.start_hub();
  // These come into the inboxes in the stream that ends when their gate is set back …
  const int before = x.last_key();
  x.send("rongchang", 4);
  x.send("rongchang", 2, "urgent");
  x.check_all();
  x.stop_gate("rongchang");
  x.put_back("rongchang");
  x.start_gate("rongchang");
  REQUIRE(eventually([&] { return x.connected("rongchang"); }));
  for (int key = before + 1; key <= before + 4; ++key) x.repeat("rongchang", "routine", key);
  for (int key = before + 5; key <= before + 6; ++key) x.repeat("rongchang", "urgent", key);
  x.send("rongchang", 1);
  x.check_all();
  SECTION("with receivers that know of them from memory") {}
  SECTION("with receivers that know of them from disk") {
    x.stop_gate("luxian");
    x.start_gate("luxian");
  }
  // … and again in the new one, for a hub that has forgotten them.
  x.stop_hub();
  x.put_back("hub");
  x.start_hub();
  x.send("rongchang", 1);
  x.send("rongchang", 1, "urgent");
  x.check_all();
}

TEST_CASE("a gate and a hub set back together use numbers again that an inbox knows, and lose nothing by it") {
  Restored x;
  x.send("rongchang", 2);
  x.check_all();
  x.stop_hub();
  x.copy("hub");
  x.start_hub();
  x.send("rongchang", 2);
  x.check_all();
  x.stop_gate("rongchang");
  x.copy("rongchang");
  x.start_gate("rongchang");
  const int before = x.last_key();
  x.send("rongchang", 4);
  x.check_all();
  x.stop_gate("rongchang");
  x.stop_hub();
  x.put_back("rongchang");
  x.put_back("hub");
  x.start_gate("rongchang");
  x.repeat_together("rongchang", before, 3);  // under the number of the first of the four
  x.start_hub();
  x.send("rongchang", 5);
  x.check_all();
}

TEST_CASE("a receiving gate set back to an older copy is sent again what it lost, and nothing else") {
  Restored x;
  x.send("dazu", 4);
  x.send("luxian", 4);
  x.check_all();
  x.stop_gate("rongchang");
  x.copy("rongchang");
  x.start_gate("rongchang");
  x.send("luxian", 5);
  x.send("dazu", 5);
  x.check_all();
  x.stop_gate("rongchang");
  x.put_back("rongchang");
  x.start_gate("rongchang");
  x.send("dazu", 1);
  x.send("luxian", 1);
  x.check_all();
}

TEST_CASE("an inbox set up anew is given what no adapter had taken, and goes on") {
  Restored x;
  x.send("dazu", 4);
  x.send("luxian", 2);
  x.check_all();
  x.stop_gate("rongchang");
  SECTION("its inbox alone") { fs::remove_all(x.path("rongchang") / "state" / "inbox"); }
  SECTION("its whole state") { fs::remove_all(x.path("rongchang") / "state"); }
  x.start_gate("rongchang");
  x.send("dazu", 2);
  x.send("rongchang", 2);
  x.check_all();
}

TEST_CASE("a source that repeats a key after a crash of its gate makes no second record") {
  Restored x;
  x.send("rongchang", 3);
  x.stop_gate("rongchang");
  x.start_gate("rongchang");
  for (int key = 1; key <= 3; ++key) x.repeat("rongchang", "routine", key);
  CHECK(x.sent("rongchang").size() == 3);
  x.send("rongchang", 1);
  x.check_all();
}

TEST_CASE("a receipt that a restored hub gets back before the record it answers waits for that record") {
  Restored x;
  x.send("rongchang", 1, "urgent");
  x.check_all();
  x.stop_hub();
  x.copy("hub");
  x.start_hub();
  x.send("rongchang", 1, "urgent");
  x.check_all();
  const std::string warning = x.sent("rongchang", "urgent").back();
  REQUIRE(x.ask_gate("luxian", {{"cmd", "ack"}, {"record", warning}, {"officer", "周敏"}})["ok"] == true);
  const auto signed_for = [&] {
    const json shown = x.ask_gate("rongchang", {{"cmd", "show"}, {"record", warning}}, Lane::kUrgent);
    return shown.dump().find("周敏") != std::string::npos;
  };
  REQUIRE(eventually(signed_for));
  x.stop_hub();
  x.put_back("hub");
  x.stop_gates();
  x.start_hub();
  x.start_gate("luxian");  // with the receipt; the warning is only at 荣昌
  REQUIRE(eventually([&] {
    const json status = x.ask_gate("luxian", {{"cmd", "status"}});
    for (const json& lane : status["lanes"])
      if (lane["link"]["code"] == static_cast<int>(Code::kBusy)) return true;
    return false;
  }));
  x.start_gate("rongchang");
  x.start_gate("dazu");
  const auto records = [&] {
    const json status = x.ask_hub({{"cmd", "status"}});
    return status["lanes"]["urgent"]["records"].get<int>() + status["lanes"]["routine"]["records"].get<int>();
  };
  REQUIRE(eventually([&] { return records() == 2; }));  // the warning and its receipt
  CHECK(x.ask_gate("luxian", {{"cmd", "deadletters"}, {"act", "list"}})["letters"].empty());
  CHECK(signed_for());
  x.check_all();
  x.stop_hub();
  for (const char* lane : {"routine", "urgent"}) {
    const auto report = must(ledger::verify_ledger(real_files(), x.path("hub") / "state" / "ledger" / lane, {}));
    INFO((report.fault ? report.fault->message : "content"));
    CHECK(report.content());
  }
}
