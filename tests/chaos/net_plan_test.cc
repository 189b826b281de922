// net_plan_test.cc: a plan can be repeated, holds what it should, and leaves nothing broken behind.
#include "chaos/net_plan.h"

#include <catch2/catch.hpp>
#include <map>
#include <set>

using namespace thalweg::chaos;
using What = Step::What;
using std::chrono::milliseconds;

namespace {

const std::vector<std::string> kNames{"hub", "a", "b", "c", "d"};

std::string text_of(const std::vector<Step>& plan) {
  std::string all;
  for (const Step& step : plan) all += std::to_string(step.at.count()) + " " + step.text(kNames) + "\n";
  return all;
}

}  // namespace

TEST_CASE("the same seed gives the same plan, another one another") {
  PlanOptions options;
  options.seed = 7;
  CHECK(text_of(make_plan(options)) == text_of(make_plan(options)));
  const std::string seven = text_of(make_plan(options));
  options.seed = 8;
  CHECK(text_of(make_plan(options)) != seven);
}

TEST_CASE("a plan of ten minutes holds every kind of step and of weather") {
  PlanOptions options;
  options.length = std::chrono::minutes(10);
  std::set<What> kinds;
  std::set<std::pair<Weather::Way, Weather::Way>> ways;
  bool slow = false, late = false, far = false;
  for (const Step& step : make_plan(options)) {
    kinds.insert(step.what);
    ways.insert({step.weather.up, step.weather.down});
    slow = slow || step.weather.bits_per_second > 0;
    late = late || step.weather.delay > milliseconds(20);
    far = far || std::abs(step.off_s) > 300 * 86'400;
  }
  CHECK(kinds.size() == 13);
  CHECK(ways.size() == 5);
  CHECK((slow && late && far));
}

TEST_CASE("at the end every line is fair, every program runs and every clock is right") {
  for (std::uint32_t seed = 0; seed < 50; ++seed) {
    PlanOptions options;
    options.seed = seed;
    options.length = std::chrono::seconds(60 + seed * 10);
    std::map<std::size_t, Weather> lines;
    std::map<std::size_t, std::int64_t> clocks;
    std::set<std::size_t> down;
    milliseconds before{0};
    for (const Step& step : make_plan(options)) {
      CHECK(step.at >= before);
      CHECK(step.at <= options.length);
      before = step.at;
      if (step.what == What::kWeather && step.who == Step::kAll)
        for (std::size_t line = 0; line < options.gates; ++line) lines[line] = step.weather;
      else if (step.what == What::kWeather)
        lines[step.who] = step.weather;
      if (step.what == What::kClock) clocks[step.who] = step.off_s;
      if (step.what == What::kKill) down.insert(step.who);
      if (step.what == What::kStart) down.erase(step.who);
    }
    for (const auto& [line, weather] : lines) CHECK(weather == Weather{});
    for (const auto& [who, off_s] : clocks) CHECK(off_s == 0);
    CHECK(down.empty());
  }
}

TEST_CASE("a hub's copy is not older than an enrolment when it is put back") {
  for (std::uint32_t seed = 0; seed < 50; ++seed) {
    PlanOptions options;
    options.seed = seed;
    options.length = std::chrono::minutes(15);
    bool enrolled_since = false;
    for (const Step& step : make_plan(options)) {
      if (step.what == What::kCopy && step.who == 0) enrolled_since = false;
      if (step.what == What::kReplaceSender || step.what == What::kReplaceReceiver) enrolled_since = true;
      if (step.what == What::kRestore && step.who == 0) CHECK_FALSE(enrolled_since);
    }
  }
}
