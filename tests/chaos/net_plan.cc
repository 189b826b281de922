#include "chaos/net_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <random>

namespace thalweg::chaos {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using What = Step::What;
using Way = Weather::Way;

constexpr seconds kRound{300};  // restores and revocations come once in each, and last so long at most
constexpr std::int64_t kHour_s = 3600, kYear_s = 365 * 24 * kHour_s;

class Planner {
 public:
  explicit Planner(const PlanOptions& options) : options_(options), random_(options.seed), length_(options.length) {}

  std::vector<Step> make() {
    hub_partitions();
    for (std::size_t line = 0; line < options_.gates; ++line) weather(line);
    if (options_.kills) kills();
    if (options_.clocks) clocks();
    const auto rounds = std::max<std::int64_t>(1, length_ / kRound);
    for (std::int64_t i = 0; i < rounds; ++i) round(length_ / rounds * i, length_ / rounds);
    calm();
    std::stable_sort(steps_.begin(), steps_.end(), [](const Step& a, const Step& b) { return a.at < b.at; });
    return std::move(steps_);
  }

 private:
  /// Evenly from `least` to `most`.
  milliseconds between(milliseconds least, milliseconds most) {
    return least + milliseconds(random_() % static_cast<std::uint64_t>((most - least).count() + 1));
  }
  std::size_t one_of(std::size_t count) { return random_() % count; }
  void add(milliseconds at, What what, std::size_t who, Weather weather = {}, std::int64_t off_s = 0) {
    steps_.push_back({at, what, who, weather, off_s});
  }
  /// Up to minutes in a long trial, seconds in a short one.
  milliseconds longest() const { return std::min<milliseconds>(length_ / 8, seconds(120)); }

  void hub_partitions() {
    if (options_.mild) return;
    for (milliseconds at = length_ / 6; at < length_ * 9 / 10; at += between(length_ / 6, length_ / 3)) {
      const milliseconds lasts = between(longest() / 4, longest());
      add(at, What::kWeather, Step::kAll, {{}, {}, 0, Way::kHeld, Way::kHeld});
      add(at + lasts, What::kWeather, Step::kAll);
      shut_.emplace_back(at, at + lasts);
      at += lasts;
    }
  }
  bool hub_is_shut(milliseconds from, milliseconds to) const {
    return std::any_of(shut_.begin(), shut_.end(),
                       [&](const auto& one) { return one.first <= to && from <= one.second; });
  }

  Weather draw(std::size_t kind) {
    switch (kind) {
      case 0:
        return {between(milliseconds(5), milliseconds(400)), between(milliseconds(0), milliseconds(150)), 0, {}, {}};
      case 1: {
        static constexpr std::uint64_t kSpeeds[] = {1'000'000, 2'000'000, 10'000'000, 64'000, 128'000, 512'000};
        return {milliseconds(20), milliseconds(5), kSpeeds[one_of(options_.mild ? 3 : 6)], {}, {}};
      }
      case 2:
        return {{}, {}, 0, Way::kHeld, Way::kHeld};
      case 3:
        return {{}, {}, 0, Way::kLost, Way::kLost};
      case 4:
        return {{}, {}, 0, Way::kHeld, Way::kOpen};
      default:
        return {{}, {}, 0, Way::kOpen, Way::kHeld};
    }
  }

  /// Fair for a while, then something of each kind in turn, each line in an order of its own.
  void weather(std::size_t line) {
    std::vector<std::size_t> kinds =
        options_.mild ? std::vector<std::size_t>{0, 1, 6, 7} : std::vector<std::size_t>{0, 1, 2, 3, 4, 5, 6, 7};
    std::shuffle(kinds.begin(), kinds.end(), random_);
    std::size_t next = 0;
    for (milliseconds at = between(seconds(1), longest()); at < length_;) {
      const std::size_t kind = kinds[next++ % kinds.size()];
      const bool cut = kind >= 6;
      const milliseconds lasts = cut ? milliseconds(0) : between(seconds(1), longest());
      if (hub_is_shut(at, at + lasts)) {
        at += seconds(1);
        --next;
        continue;
      }
      if (cut) {
        add(at, kind == 6 ? What::kCutReset : What::kCutEnd, line);
      } else {
        add(at, What::kWeather, line, draw(kind));
        add(at + lasts, What::kWeather, line);
      }
      at += lasts + between(seconds(1), longest() / 2 + seconds(1));
    }
  }

  void kills() {
    for (milliseconds at = seconds(2); at < length_; at += between(seconds(2), seconds(8))) {
      const std::size_t who = one_of(options_.gates + 2);
      if (who > options_.gates) {
        add(at, What::kKillRunner, 0);
        continue;
      }
      add(at, What::kKill, who);
      add(at + between(milliseconds(0), milliseconds(1500)), What::kStart, who);
    }
  }

  void clocks() {
    const std::int64_t off_s[] = {kHour_s, -kHour_s, 5 * kHour_s, -9 * kHour_s, kYear_s, -kYear_s, 400, -400, 0};
    const milliseconds pause = std::min<milliseconds>(length_ / 12, seconds(40));
    for (milliseconds at = seconds(3); at < length_; at += between(pause / 2, pause))
      add(at, What::kClock, one_of(options_.gates + 1), {}, off_s[one_of(std::size(off_s))]);
  }

  /// The hub's copy is never older than the last enrolment, as nobody would put back one that is. And nobody is shut
  /// out while the hub lacks what it had acknowledged to him: that would be gone with both machines.
  void round(milliseconds from, milliseconds length) {
    const auto at = [&](int percent) { return from + length * percent / 100 + between(milliseconds(0), length / 50); };
    if (options_.revocations) {
      add(at(4), What::kRevokeSender, options_.gates);
      add(at(14), What::kReplaceSender, options_.gates);
      add(at(16), What::kRevokeReceiver, 3);
      add(at(28), What::kReplaceReceiver, 3);
    }
    if (options_.restorable > 0) {
      const std::size_t gate = 1 + one_of(options_.restorable);
      add(at(32), What::kCopy, 0);
      add(at(36), What::kCopy, gate);
      add(at(50), What::kRestore, 0);
      add(at(60), What::kCopy, 0);
      add(at(66), What::kRestore, gate);
      add(at(82), What::kRestore, 0);
    }
  }

  /// What began has an end within the trial.
  void calm() {
    for (Step& step : steps_) step.at = std::min(step.at, length_);
    add(length_, What::kWeather, Step::kAll);
    for (std::size_t who = 0; who <= options_.gates; ++who) {
      if (options_.clocks) add(length_, What::kClock, who);
      add(length_, What::kStart, who);
    }
  }

  const PlanOptions options_;
  std::mt19937 random_;
  const milliseconds length_;
  std::vector<Step> steps_;
  std::vector<std::pair<milliseconds, milliseconds>> shut_;
};

std::string words(const Weather& weather) {
  if (weather == Weather{}) return "fair";
  if (weather.up == Way::kLost) return "half-open: bytes vanish, nothing closes";
  if (weather.up == Way::kHeld && weather.down == Way::kHeld) return "partition";
  if (weather.up == Way::kHeld) return "nothing goes up";
  if (weather.down == Way::kHeld) return "nothing comes down";
  std::string text = fmt::format("delay {} to {} ms", weather.delay.count(), (weather.delay + weather.jitter).count());
  if (weather.bits_per_second > 0) text += fmt::format(", {} kbit/s", weather.bits_per_second / 1000);
  return text;
}

}  // namespace

std::string Step::text(const std::vector<std::string>& programs) const {
  switch (what) {
    case What::kWeather:
      return (who == kAll ? "line of the hub" : "line of " + programs.at(who + 1)) + ": " + words(weather);
    case What::kCutReset:
      return "line of " + programs.at(who + 1) + ": cut (RST)";
    case What::kCutEnd:
      return "line of " + programs.at(who + 1) + ": cut (FIN)";
    case What::kKill:
      return programs.at(who) + ": SIGKILL";
    case What::kStart:
      return programs.at(who) + ": started";
    case What::kKillRunner:
      return "runner: SIGKILL";
    case What::kClock:
      return fmt::format("{}: clock {:+} s", programs.at(who), off_s);
    case What::kCopy:
      return programs.at(who) + ": stopped and copied";
    case What::kRestore:
      return programs.at(who) + ": set back to the copy";
    case What::kRevokeSender:
    case What::kRevokeReceiver:
      return programs.at(who) + ": key revoked";
    case What::kReplaceSender:
    case What::kReplaceReceiver:
      return programs.at(who) + ": new machine";
  }
  return {};
}

std::vector<Step> make_plan(const PlanOptions& options) { return Planner(options).make(); }

}  // namespace thalweg::chaos
