#include "bench/load.h"

#include <fmt/format.h>

#include <algorithm>
#include <random>

#include "link/local_message.h"
#include "model/time.h"

namespace thalweg::bench {
namespace {

struct Reading {
  const char *temperature, *ph, *oxygen, *permanganate, *ammonia, *phosphorus;
};
// examples/stations/gaodong.csv, the eight moments that have values.
constexpr Reading kReadings[] = {
    {"31.9", "8.44", "11.62", "4.78", "0.001", "0.050"}, {"33.3", "8.90", "15.14", "5.43", "0.009", "0.050"},
    {"32.5", "8.56", "11.39", "5.94", "0.008", "0.048"}, {"32.4", "8.58", "11.99", "5.94", "0.007", "0.048"},
    {"32.1", "8.26", "10.40", "5.42", "0.010", "0.048"}, {"31.5", "7.66", "5.08", "4.30", "0.057", "0.047"},
    {"31.1", "7.65", "5.02", "4.64", "0.084", "0.053"},  {"26.1", "7.32", "2.82", "5.15", "0.079", "0.095"},
};
constexpr std::int64_t kFrom_ns = 1'787'720'400'000'000'000;  // 2026-08-26T13:00+08:00
constexpr std::string_view kTime = "2026-08-26T13:00:00.000+08:00";
constexpr std::size_t kMillisecondsAt = 20;
constexpr std::string_view kTurbidity = "100.0";
constexpr std::string_view kKey = "bench/0000000000";

std::string factor(std::string_view code, std::string_view text, std::string_view unit) {
  return fmt::format(R"({{"code":"{}","text":"{}","value":{},"unit":"{}","flag":"N"}})", code, text, text, unit);
}

/// The data of one reading with kTime and kTurbidity where each record's own are put.
std::string observation(const Reading& r) {
  return fmt::format(
             R"({{"section":"laixi-gaodong","station":"A500226_0002","time":"{}","time_label":"instant","mode":"automatic","review":"raw","factors":[)",
             kTime) +
         factor("w01003", kTurbidity, "NTU") + "," + factor("w01010", r.temperature, "degC") + "," +
         factor("w01001", r.ph, "1") + "," + factor("w01009", r.oxygen, "mg/L") + "," +
         factor("w01019", r.permanganate, "mg/L") + "," + factor("w21003", r.ammonia, "mg/L") + "," +
         factor("w21011", r.phosphorus, "mg/L") + "]}";
}

/// Writes the last digits of `value` at `at`.
void put_digits(std::string& text, std::size_t at, std::size_t digits, std::uint64_t value) {
  for (std::size_t i = digits; i-- > 0; value /= 10) text[at + i] = static_cast<char>('0' + value % 10);
}

}  // namespace

void put_random(std::span<char> text, std::uint64_t& state) {
  static constexpr char kBase64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (std::size_t i = 0; i < text.size();) {
    std::uint64_t bits = next_random(state);
    for (int k = 0; k < 10 && i < text.size(); ++k, bits >>= 6) text[i++] = kBase64[bits & 63];
  }
}

std::uint64_t next_random(std::uint64_t& state) {
  std::uint64_t z = state += 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

Load::Load(std::uint64_t first, Kind kind) : next_(first), random_(std::random_device{}()) {
  for (const Reading& reading : kReadings) patterns_.push_back(observation(reading));
  if (kind == Kind::kRandom) {
    const std::size_t whole = patterns_.front().size();
    std::string one = patterns_.front().substr(0, patterns_.front().find("},{") + 1) + R"(],"remark":")";
    remark_at_ = one.size();
    remark_size_ = whole - one.size() - 2;
    patterns_ = {one + std::string(remark_size_, 'x') + "\"}"};
  }
  const std::string& any = patterns_.front();
  time_at_ = any.find(kTime);
  turbidity_text_at_ = any.find(kTurbidity);
  turbidity_value_at_ = any.find(kTurbidity, turbidity_text_at_ + 1);
}

Bytes Load::routine(std::size_t count) {
  made_.resize(std::max(made_.size(), count));
  link::LocalSubmit submit;
  submit.drafts.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint64_t n = next_++;
    Made& made = made_[i];
    if (n / 1000 != second_ || made.time.empty()) {
      second_ = n / 1000;
      second_text_ = format_rfc3339(kFrom_ns + static_cast<std::int64_t>(second_) * 1'000'000'000, 480);
      second_text_.insert(kMillisecondsAt - 1, ".000");
    }
    made.time = second_text_;
    put_digits(made.time, kMillisecondsAt, 3, n % 1000);
    made.key = kKey;
    put_digits(made.key, kKey.size() - 10, 10, n);
    made.data = patterns_[n % patterns_.size()];
    made.data.replace(time_at_, kTime.size(), made.time);
    for (const std::size_t at : {turbidity_text_at_, turbidity_value_at_}) {
      put_digits(made.data, at + 1, 2, n / 10);
      put_digits(made.data, at + 4, 1, n);
    }
    if (remark_size_ != 0) put_random(std::span(made.data).subspan(remark_at_, remark_size_), random_);
    link::LocalDraft draft;
    draft.ticket = n;
    draft.type = "thalweg.section.observation.v1";
    draft.subject = "laixi-gaodong";
    draft.time = made.time;
    draft.origin_key = made.key;
    draft.data = made.data;
    submit.drafts.push_back(draft);
  }
  Bytes frame;
  submit.encode(frame);
  return frame;
}

Bytes Load::urgent() {
  const std::uint64_t n = next_++;
  const std::string key = fmt::format("urgent/{}", n);
  const std::string data = R"({"incident":"bench-1","kind":"warning","river":"laixi","section":"laixi-gaodong",)"
                           R"("learned_at":"2026-09-23T06:20:00+08:00","contact":"bench","telephone":"023-00000000"})";
  link::LocalSubmit submit;
  link::LocalDraft draft;
  draft.ticket = n;
  draft.lane = Lane::kUrgent;
  draft.type = "thalweg.emergency.notice.v1";
  draft.subject = "bench-1";
  draft.time = "2026-09-23T06:30:00+08:00";
  draft.exercise = "bench";
  draft.correlation = "bench-1";
  draft.origin_key = key;
  draft.data = data;
  submit.drafts.push_back(draft);
  Bytes frame;
  submit.encode(frame);
  return frame;
}

}  // namespace thalweg::bench
