#include "bench/load.h"

#include <fmt/format.h>

#include <deque>

#include "link/local_message.h"
#include "model/time.h"

namespace thalweg::bench {
namespace {

struct Reading {
  const char *temperature, *ph, *oxygen, *conductivity, *turbidity, *permanganate, *ammonia, *phosphorus, *nitrogen;
};
// examples/stations/gaodong.csv, the eight moments that have values.
constexpr Reading kReadings[] = {
    {"31.9", "8.44", "11.62", "613.3", "7.8", "4.78", "0.001", "0.050", "2.05"},
    {"33.3", "8.90", "15.14", "605.1", "18.6", "5.43", "0.009", "0.050", "2.06"},
    {"32.5", "8.56", "11.39", "608.1", "8.7", "5.94", "0.008", "0.048", "2.10"},
    {"32.4", "8.58", "11.99", "607.1", "7.8", "5.94", "0.007", "0.048", "2.10"},
    {"32.1", "8.26", "10.40", "607.7", "4.9", "5.42", "0.010", "0.048", "2.06"},
    {"31.5", "7.66", "5.08", "602.5", "7.2", "4.30", "0.057", "0.047", "2.06"},
    {"31.1", "7.65", "5.02", "600.3", "9.4", "4.64", "0.084", "0.053", "2.02"},
    {"26.1", "7.32", "2.82", "711.8", "6.5", "5.15", "0.079", "0.095", "2.27"},
};
constexpr std::int64_t kFrom_ns = 1'787'720'400'000'000'000;  // 2026-08-26T13:00+08:00

std::string factor(const char* code, const char* text, const char* unit) {
  return fmt::format(R"({{"code":"{}","text":"{}","value":{},"unit":"{}","flag":"N"}})", code, text, text, unit);
}

std::string observation(std::uint64_t n, const std::string& time) {
  const Reading& r = kReadings[n % std::size(kReadings)];
  const std::string turbidity = fmt::format("{}.{}", n % 290, n % 10);
  return fmt::format(
             R"({{"section":"laixi-gaodong","station":"A500226_0002","time":"{}","time_label":"instant","mode":"automatic","review":"raw","factors":[)",
             time) +
         factor("w01010", r.temperature, "degC") + "," + factor("w01001", r.ph, "1") + "," +
         factor("w01009", r.oxygen, "mg/L") + "," + factor("w01014", r.conductivity, "uS/cm") + "," +
         factor("w01003", turbidity.c_str(), "NTU") + "," + factor("w01019", r.permanganate, "mg/L") + "," +
         factor("w21003", r.ammonia, "mg/L") + "," + factor("w21011", r.phosphorus, "mg/L") + "," +
         factor("w21001", r.nitrogen, "mg/L") + "]}";
}

}  // namespace

Bytes Load::routine(std::size_t count) {
  std::deque<std::string> kept;
  link::LocalSubmit submit;
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint64_t n = next_++;
    link::LocalDraft draft;
    draft.ticket = n;
    draft.type = "thalweg.section.observation.v1";
    draft.subject = "laixi-gaodong";
    draft.time = kept.emplace_back(format_rfc3339(kFrom_ns + static_cast<std::int64_t>(n) * 1'000'000, 480));
    draft.origin_key = kept.emplace_back(fmt::format("bench/{}", n));
    draft.data = kept.emplace_back(observation(n, std::string(draft.time)));
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
