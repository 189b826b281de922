// fault.cc: one thing that is wrong with a record, and where.
#include "model/fault.h"

#include "model/verdict.h"

namespace thalweg {
namespace {

std::string one_line(std::span<const Fault> faults, std::size_t limit_bytes, bool chinese) {
  constexpr std::size_t kRoomForCount = 16;
  std::string line;
  for (std::size_t i = 0; i < faults.size(); ++i) {
    const std::string& text = chinese && !faults[i].message_zh.empty() ? faults[i].message_zh : faults[i].message;
    const std::size_t needed = faults[i].path.size() + text.size() + 4;
    if (i > 0 && line.size() + needed + kRoomForCount > limit_bytes) {
      line += chinese ? "；+" : "; +";
      return line += std::to_string(faults.size() - i);
    }
    if (i > 0) line += chinese ? "；" : "; ";
    if (!faults[i].path.empty()) line.append(faults[i].path).append(": ");
    line += text;
  }
  return line;
}

}  // namespace

std::optional<Code> refusal_of(std::span<const Fault> faults) {
  for (const Fault& fault : faults) {
    if (is_refusal(fault.code)) return fault.code;
  }
  return std::nullopt;
}

std::string summary(std::span<const Fault> faults, std::size_t limit_bytes) {
  return one_line(faults, limit_bytes, false);
}
std::string summary_zh(std::span<const Fault> faults, std::size_t limit_bytes) {
  return one_line(faults, limit_bytes, true);
}

}  // namespace thalweg
