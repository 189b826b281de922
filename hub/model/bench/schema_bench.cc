// schema_bench.cc: what checking one record costs, beside plain walks of the same bytes. Built with
// THALWEG_BUILD_BENCH.
#include <fmt/format.h>
#include <simdjson.h>
#include <time.h>

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "model/record_checker.h"

namespace {

using namespace thalweg;
namespace ondemand = simdjson::ondemand;

// Published readings of 高洞电站 and its neighbour (CNEMC, August 2026), as one station record of about 1 KB each.
std::vector<std::string> records(std::size_t count) {
  struct Reading {
    const char *code, *unit, *text[4];
  };
  constexpr Reading kReadings[] = {{"w01010", "degC", {"31.9", "33.3", "32.5", "32.1"}},
                                   {"w01001", "1", {"8.44", "8.90", "8.56", "8.26"}},
                                   {"w01009", "mg/L", {"11.62", "15.14", "11.39", "10.40"}},
                                   {"w01014", "uS/cm", {"613.3", "605.1", "608.1", "607.7"}},
                                   {"w01003", "NTU", {"7.8", "18.6", "8.7", "4.9"}},
                                   {"w01019", "mg/L", {"4.78", "5.43", "5.94", "5.42"}},
                                   {"w21003", "mg/L", {"0.001", "--", "--", "0.010"}},
                                   {"w21011", "mg/L", {"0.050", "0.050", "0.048", "0.048"}},
                                   {"w21001", "mg/L", {"2.05", "2.06", "2.10", "2.06"}}};
  std::vector<std::string> all;
  for (std::size_t i = 0; i < count; ++i) {
    std::string factors;
    for (const Reading& r : kReadings) {
      const std::string text = r.text[i % 4];
      if (!factors.empty()) factors += ',';
      factors += fmt::format(R"({{"code":"{}","text":"{}","value":{},"unit":"{}","flag":"N"}})", r.code, text,
                             text == "--" ? "null" : text, r.unit);
    }
    all.push_back(fmt::format(
        R"({{"specversion":"1.0","id":"01997c2a-7b10-7cc3-98c4-{:012x}","source":"/party/500153","type":"thalweg.section.observation.v1",)"
        R"("subject":"gaodong","time":"2026-08-26T13:{:02}:00+08:00","datacontenttype":"application/json",)"
        R"("dataschema":"https://thalweg.example/schemas/thalweg.section.observation.v1.json","lane":"routine","submitter":"hj212-1",)"
        R"("data":{{"section":"gaodong","station":"A500226_0002","time":"2026-08-26T13:{:02}:00+08:00","time_label":"instant",)"
        R"("mode":"automatic","review":"raw","factors":[{}]}}}})",
        i, i % 60, i % 60, factors));
    all.back().resize(all.back().size() + kRecordPadding, ' ');
  }
  return all;
}

ByteView bytes_of(const std::string& padded) { return as_bytes(padded).first(padded.size() - kRecordPadding); }

// Touches every value as a raw token: the least that any check must do.
std::size_t touch(ondemand::value value) {
  std::size_t touched = 1;
  ondemand::json_type type;
  if (value.type().get(type)) return 0;
  if (type == ondemand::json_type::object) {
    for (auto field : value.get_object()) touched += touch(field.value());
  } else if (type == ondemand::json_type::array) {
    for (auto item : value.get_array()) touched += touch(item.value());
  } else {
    touched += value.raw_json_token().size();
  }
  return touched;
}

// Time of this thread on its core, so that a busy machine disturbs less.
double cpu_microseconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) / 1e3;
}

template <class Work>
double microseconds(const std::vector<std::string>& all, Work&& work) {
  std::vector<double> runs;
  for (int run = 0; run < 9; ++run) {
    const double start = cpu_microseconds();
    for (int round = 0; round < 20; ++round) {
      for (const std::string& record : all) work(record);
    }
    runs.push_back((cpu_microseconds() - start) / (20.0 * static_cast<double>(all.size())));
  }
  std::sort(runs.begin(), runs.end());
  return runs[runs.size() / 2];
}

}  // namespace

int main() {
  const auto all = records(2000);
  const auto schemas = SchemaSet::load_builtin().value();
  RecordChecker checker(schemas);
  RecordReader reader;
  SchemaWalker walker;
  ondemand::parser parser;
  std::vector<Fault> faults;
  std::size_t sum = 0;

  const auto first = reader.read(bytes_of(all[0]));
  if (!first || !checker.check(bytes_of(all[0]), faults) || !faults.empty()) {
    std::fputs(("the sample is at fault: " + summary(faults) + "\n").c_str(), stderr);
    return 1;
  }
  const std::size_t record_bytes = bytes_of(all[0]).size();
  const auto show = [&](const char* what, double spent) {
    std::fputs(fmt::format("{:<58} {:6.3f} µs/record {:6.3f} µs/KB\n", what, spent,
                           spent * 1024 / static_cast<double>(record_bytes))
                   .c_str(),
               stdout);
  };
  std::fputs(fmt::format("record {} bytes, data {} bytes; medians of 9 runs; simdjson {}\n", record_bytes,
                         first->data_raw.size(), simdjson::get_active_implementation()->name())
                 .c_str(),
             stdout);
  show("simdjson, tokens found only (stage 1)", microseconds(all, [&](const std::string& r) {
         ondemand::document document;
         sum += parser.iterate(r.data(), r.size() - kRecordPadding, r.size()).get(document);
       }));
  show("simdjson on demand, every value touched", microseconds(all, [&](const std::string& r) {
         ondemand::document document;
         if (parser.iterate(r.data(), r.size() - kRecordPadding, r.size()).get(document)) return;
         ondemand::value root;
         if (!document.get_value().get(root)) sum += touch(root);
       }));
  show("RecordReader (attributes only)",
       microseconds(all, [&](const std::string& r) { sum += reader.read(bytes_of(r)).has_value(); }));
  show("SchemaWalker (data against its schema)", microseconds(all, [&](const std::string& r) {
         WalkTask task;
         task.json = as_bytes(std::string_view(r).substr(
             static_cast<std::size_t>(first->data_raw.data() - all[0].data()),
             r.size() - kRecordPadding - 1 - static_cast<std::size_t>(first->data_raw.data() - all[0].data())));
         task.root_path = "data";
         task.depth = 2;
         sum += walker.check(*schemas.find("thalweg.section.observation.v1"), task, faults);
       }));
  if (!faults.empty()) std::fputs((summary(faults) + "\n").c_str(), stderr);
  show("RecordChecker (all of it)",
       microseconds(all, [&](const std::string& r) { sum += checker.check(bytes_of(r), faults).has_value(); }));
  show("nlohmann parse, for comparison", microseconds({all.begin(), all.begin() + 200}, [&](const std::string& r) {
         sum += nlohmann::json::parse(r.begin(), r.end() - static_cast<std::ptrdiff_t>(kRecordPadding)).size();
       }));
  return sum == 0;
}
