// A checker that has seen many records of one shape says of the next what a checker says that has seen none.
#include "model/record_shape.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include <random>

#include "model/record_checker.h"
#include "model/token_stream.h"
#include "schema_samples.h"

using namespace thalweg;

namespace {

std::string record_of(const samples::Sample& sample) {
  const std::string& member = samples::schemas().find(sample.type)->subject_member();
  const std::string subject =
      member.empty() ? "anything" : nlohmann::json::parse(sample.json).at(member).get<std::string>();
  return R"({"specversion":"1.0","id":"01997c2a-7b10-7cc3-98c4-dc0c0c07398f","source":"/party/500153","type":")" +
         sample.type + R"(","subject":")" + subject +
         R"(","time":"2026-09-23T06:20:00+08:00","lane":"routine","correlationid":"YL-1","ownmark": 5,)"
         R"("dataschema":"https://thalweg.example/schemas/)" +
         sample.type + R"(.json","data":)" + sample.json + "\n, \"submitter\" :\"hj212-1\"}\n";
}

void teach(RecordChecker& checker, const std::string& record) {
  const samples::Padded padded(record);
  std::vector<Fault> faults;
  for (int i = 0; i < 40; ++i) {
    const auto good = checker.check(padded.view(), faults);
    INFO(summary(faults));
    REQUIRE((good && faults.empty()));
  }
}

bool same_envelope(const Envelope& a, const Envelope& b) {
  return a.id == b.id && a.source == b.source && a.party == b.party && a.type == b.type && a.subject == b.subject &&
         a.time == b.time && a.lane == b.lane && a.dataschema == b.dataschema && a.exercise == b.exercise &&
         a.correlationid == b.correlationid && a.submitter == b.submitter && a.data_raw == b.data_raw &&
         a.data_raw.data() == b.data_raw.data() && a.record_id == b.record_id && a.time_unix_ns == b.time_unix_ns &&
         a.lane_value == b.lane_value;
}

/// Whether the record is good; what both say is compared.
bool both(RecordChecker& taught, const std::string& record) {
  const samples::Padded padded(record);
  RecordChecker fresh(samples::schemas());
  std::vector<Fault> faults, expected;
  const auto envelope = taught.check(padded.view(), faults);
  const auto wanted = fresh.check(padded.view(), expected);
  bool same = envelope.has_value() == wanted.has_value() && faults.size() == expected.size();
  if (same && envelope) same = same_envelope(*envelope, *wanted);
  if (same && !envelope) same = envelope.error().code == wanted.error().code;
  for (std::size_t i = 0; same && i < faults.size(); ++i) {
    same = faults[i].code == expected[i].code && faults[i].path == expected[i].path &&
           faults[i].message == expected[i].message;
  }
  if (!same) {
    INFO(record << "\ntaught: " << summary(faults) << "\nfresh: " << summary(expected));
    CHECK(same);
  }
  return wanted.has_value() && expected.empty();
}

// What could stand in the place of another scalar, good or bad.
constexpr std::string_view kScalars[] = {"1",
                                         "-0",
                                         "01",
                                         "1.",
                                         "1e999",
                                         "-1",
                                         "1.5",
                                         "1E2",
                                         "99999999999999999999",
                                         "1\"a\"",
                                         "true",
                                         "tru",
                                         "null",
                                         "nul",
                                         "false",
                                         "[]",
                                         "{}",
                                         "\"\"",
                                         "\"a\"",
                                         "\"a\\\"",
                                         "\"\\u0061\"",
                                         "\"\\ud800\"",
                                         "\"\\u0000\"",
                                         "\"a\"\"b\"",
                                         "\"a\",\"b\":\"c\"",
                                         "\"N\"",
                                         "\"start\"",
                                         "\"end\"",
                                         "\"instant\"",
                                         "\"w21003\"",
                                         "\"w99999\"",
                                         "\"mg/L\"",
                                         "\"warning\"",
                                         "\"2026-09-23T06:21:00+08:00\"",
                                         "\"2026-02-29T06:21:00+08:00\"",
                                         "\"PT1H\"",
                                         "\"routine\"",
                                         "\"urgent\"",
                                         "\"gaodong\"",
                                         "\"高洞\"",
                                         "\"\xc2\x85\"",
                                         "\"\xff\"",
                                         "\"\x7f\"",
                                         "\"a b\"",
                                         "\"110\"",
                                         "\"01997c2a-7b10-7cc3-98c4-dc0c0c07398e\"",
                                         "\"01997C2A-7b10-7cc3-98c4-dc0c0c07398e\"",
                                         "\"1.0\"",
                                         "\"/party/1\"",
                                         "\"/party/510502\"",
                                         "\"/party/\"",
                                         "\"thalweg.receipt.v1\"",
                                         " 7 ",
                                         "\"b\" ",
                                         "",
                                         "\t\"c\""};

}  // namespace

TEST_CASE("every scalar of every example may become any other, and a taught checker is not misled", "[model][shape]") {
  std::size_t good = 0, bad = 0;
  for (const auto& sample : samples::all()) {
    INFO(sample.name);
    const std::string record = record_of(sample);
    RecordChecker taught(samples::schemas());
    teach(taught, record);
    TokenStream tokens;
    const samples::Padded padded(record);
    REQUIRE_FALSE(tokens.open(padded.view()));
    for (std::uint32_t i = 0; i < tokens.size(); ++i) {
      const char first = tokens.first(i);
      if (std::string_view("{}[],:").find(first) != std::string_view::npos) continue;
      for (const std::string_view other : kScalars) {
        std::string changed = record;
        changed.replace(tokens.offset(i), tokens.token(i).size(), other);
        (both(taught, changed) ? good : bad) += 1;
      }
    }
  }
  CHECK(good > 3000);
  CHECK(bad > 10000);
}

TEST_CASE("bytes that were altered at random do not mislead a taught checker", "[model][shape]") {
  std::mt19937 random(20260923);
  const auto below = [&](std::size_t bound) { return static_cast<std::size_t>(random()) % bound; };
  constexpr std::string_view kBytes("\"\\{}[]:, \n\t0159-+.eEaTZnu/\x01\x7f\x80\xe9\xff", 30);
  std::size_t good = 0, bad = 0;
  for (const auto& sample : samples::all()) {
    INFO(sample.name);
    const std::string record = record_of(sample);
    RecordChecker taught(samples::schemas());
    teach(taught, record);
    for (int round = 0; round < 1500; ++round) {
      std::string changed = record;
      for (std::size_t left = 1 + below(2); left > 0; --left) {
        const std::size_t at = below(changed.size());
        const char byte = kBytes[below(kBytes.size())];
        switch (below(5)) {
          case 0:
            changed.erase(at, 1 + below(3));
            break;
          case 1:
            changed.insert(at, 1 + below(2), byte);
            break;
          case 2:
            std::swap(changed[at], changed[below(changed.size())]);
            break;
          case 3:
            changed.insert(at, changed.substr(below(changed.size()), below(40)));
            break;
          default:
            changed[at] = byte;
        }
      }
      (both(taught, changed) ? good : bad) += 1;
    }
  }
  CHECK(good > 1000);
  CHECK(bad > 10000);
}

TEST_CASE("records of many shapes in turn are checked as each alone", "[model][shape]") {
  RecordChecker taught(samples::schemas());
  for (int round = 0; round < 60; ++round) {
    for (const auto& sample : samples::all()) {
      std::string record = record_of(sample);
      CHECK(both(taught, record));
      record.replace(record.find("06:20:00"), 8, "06:21:0" + std::to_string(round % 10));
      CHECK(both(taught, record));
      record.replace(record.find("routine"), 7, "routime");
      CHECK_FALSE(both(taught, record));
    }
  }
}

TEST_CASE("a shape knows a record again by all but its readings", "[model][shape]") {
  const auto tokens_of = [](const samples::Padded& record) {
    TokenStream tokens;
    REQUIRE_FALSE(tokens.open(record.view()));
    return tokens;
  };
  const std::string data = samples::sample("thalweg.section.observation.v1.station");
  const std::string record = record_of({"thalweg.section.observation.v1", "", data});
  const samples::Padded padded(record);
  const TokenStream tokens = tokens_of(padded);
  std::uint32_t data_token = 0;
  while (tokens.offset(data_token) != record.find("\"data\":") + 7) ++data_token;
  std::vector<WalkedScalar> scalars;
  {
    TokenStream walked = tokens_of(padded);
    WalkTask task;
    task.tokens = &walked;
    task.first = data_token;
    task.depth = 2;
    task.scalars = &scalars;
    SchemaWalker walker;
    std::vector<Fault> faults;
    REQUIRE(walker.check(*samples::schemas().find("thalweg.section.observation.v1"), task, faults));
  }
  const RecordShape shape(tokens, scalars, data_token);
  Envelope envelope;
  CHECK(shape.fits(tokens, envelope));

  std::string next = record;
  next.replace(next.find("dc0c0c07398f"), 12, "dc0c0c073990");
  for (std::size_t at = 0; (at = next.find("\"value\":", at)) != next.npos; ++at) {
    const std::size_t begin = next.find_first_not_of(' ', at + 8);
    next.replace(begin, next.find_first_of(",}\n", begin) - begin, "17.25");
  }
  const samples::Padded other(next);
  CHECK(shape.fits(tokens_of(other), envelope));
  CHECK(envelope.id == "01997c2a-7b10-7cc3-98c4-dc0c0c073990");
  CHECK(envelope.submitter == "hj212-1");

  for (const auto& [from, to] : std::vector<std::pair<std::string, std::string>>{
           {"\"submitter\"", "\"submittor\""}, {"17.25", "\"1\""}, {"routine", "routime"}, {"\n, ", "\n ,"}}) {
    std::string bad = next;
    bad.replace(bad.find(from), from.size(), to);
    INFO(bad);
    const samples::Padded spoilt(bad);
    CHECK_FALSE(shape.fits(tokens_of(spoilt), envelope));
  }
}
