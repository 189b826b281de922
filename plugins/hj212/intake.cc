#include "intake.h"

#include <algorithm>
#include <utility>

namespace thalweg::hj212 {
namespace {

constexpr std::size_t kMaxSplitPackets = 8;  // under way on one line
constexpr std::size_t kMaxSplitFields = 16'384;

/// Commands by which a station notifies: 1013 asks for the time (HJ 212-2017 section 6.6.5, command table); answered by
/// 9013.
bool is_notice(std::string_view cn) { return cn == "1013"; }
/// Answers to commands: 9011 to 9014. A source that commands nothing has nothing to do with them.
bool is_answer(std::string_view cn) { return cn.substr(0, 2) == "90"; }

}  // namespace

Status Intake::take(const std::shared_ptr<Line>& line, const std::string& segment) {
  auto parsed = parse_segment(segment);
  if (!parsed) {
    ++counters_.bad_format;
    return std::move(parsed).error();
  }
  Packet& packet = *parsed;
  ++counters_.packets;
  if (is_answer(packet.cn)) return {};
  TW_ASSIGN(const Station* station, station_of(*line, packet));
  if (station == nullptr) return {};
  if (is_notice(packet.cn)) {
    if (packet.answer_wanted()) send(*line, answer(packet, "9013"));
    return {};
  }
  if (!is_section_data(packet.cn)) {
    if (counters_.not_taken++ == 0)
      host_.info(line->peer() + ": command " + packet.cn +
                 " holds no section data: not taken, not answered (said once)");
    return {};
  }
  if (packet.split()) return take_part(line, std::move(packet), *station);
  std::vector<Packet> alone;
  alone.push_back(std::move(packet));
  return submit(line, alone, *station);
}

Result<const Station*> Intake::station_of(const Line& line, const Packet& packet) {
  const auto found = settings_.stations.find(packet.mn);
  if (found == settings_.stations.end()) {
    if (counters_.unknown_station++ % 1000 == 0)
      host_.warning(line.peer() + ": station " + packet.mn + " is not in the configuration: not taken, not answered");
    return static_cast<const Station*>(nullptr);
  }
  if (!found->second.password.empty() && found->second.password != packet.pw) {
    if (counters_.wrong_password++ % 1000 == 0)
      host_.warning(line.peer() + ": station " + packet.mn + ": wrong password: not taken, not answered");
    return static_cast<const Station*>(nullptr);
  }
  return &found->second;
}

Status Intake::take_part(const std::shared_ptr<Line>& line, Packet packet, const Station& station) {
  const std::string key = packet.mn + "/" + packet.qn + "/" + packet.cn;
  if (line->parts.count(key) == 0 && line->parts.size() >= kMaxSplitPackets) {
    ++counters_.given_up;
    line->parts.erase(line->parts.begin());
  }
  Line::Parts& parts = line->parts[key];
  if (parts.got.size() != packet.parts) {  // the first, or another PNUM: begin anew
    parts = {};
    parts.got.resize(packet.parts);
    parts.missing = packet.parts;
  }
  if (settings_.answer_each_part && packet.answer_wanted() && parts.missing > 1) send(*line, answer(packet, "9014"));
  Packet& place = parts.got[packet.part - 1];
  if (place.mn.empty()) {
    --parts.missing;
    parts.fields += packet.fields.size();
    place = std::move(packet);
  }
  if (parts.fields > kMaxSplitFields) {
    line->parts.erase(key);
    ++counters_.given_up;
    return Error{Code::kHj212Format, "a split packet with too many parameters"};
  }
  if (parts.missing > 0) return {};
  const std::vector<Packet> whole = std::move(parts.got);
  line->parts.erase(key);
  return submit(line, whole, station);
}

Status Intake::submit(const std::shared_ptr<Line>& line, const std::vector<Packet>& packets, const Station& station) {
  const Packet& first = packets.front();
  std::vector<Field> fields;
  for (const Packet& packet : packets) fields.insert(fields.end(), packet.fields.begin(), packet.fields.end());
  auto made = observations(first.cn, fields, station, factors_);
  if (!made) {
    ++counters_.bad_format;
    return std::move(made).error();
  }
  auto owed = std::make_shared<Owed>();
  owed->line = line;
  owed->open = made->size();
  for (const Packet& packet : packets) {
    const bool answered = settings_.answer_each_part && packets.size() > 1 && &packet != &packets.back();
    if (packet.answer_wanted() && !answered) owed->answers.push_back(answer(packet, "9014"));
  }
  for (Observation& observation : *made) {
    if (!observation.unknown_factors.empty())
      host_.info("station " + station.mn + ": no unit is known for " + observation.unknown_factors.front() +
                 " and perhaps others: kept as received in ext.hj212");
    Submission record;
    record.ticket = next_ticket_++;
    record.type = "thalweg.section.observation.v1";
    record.subject = station.section;
    record.time = observation.time;
    record.data = std::move(observation.data);
    record.origin_key = first.mn + "/" + first.qn + "/" + first.cn + "/" + observation.data_time;
    to_submit_.push_back({std::move(record), owed});
    ++counters_.records;
  }
  flush();
  return {};
}

void Intake::flush() {
  constexpr std::size_t kBatch = 256;
  while (!to_submit_.empty()) {
    const std::size_t count = std::min(kBatch, to_submit_.size());
    std::vector<Submission> batch;
    for (std::size_t i = 0; i < count; ++i) {
      Waiting& waiting = to_submit_.front();
      batch.push_back(waiting.record);
      submitted_.emplace(waiting.record.ticket, std::move(waiting));
      to_submit_.pop_front();
    }
    std::size_t taken = 0;
    const auto outcome = host_.submit(batch, &taken);
    for (std::size_t i = count; i > taken; --i) {  // give back what had no room, in order
      auto node = submitted_.extract(batch[i - 1].ticket);
      to_submit_.push_front(std::move(node.mapped()));
    }
    if (!outcome && outcome.error().code != Code::kClosed && !to_submit_.empty()) {
      // The contract was broken at this record; it can never be taken.
      host_.error("a record cannot be submitted: " + outcome.error().message);
      to_submit_.front().owed->refused = true;
      to_submit_.pop_front();
      continue;
    }
    if (taken < count) return;
  }
}

bool Intake::settled(const std::vector<Outcome>& outcomes) {
  bool again = false;
  for (const Outcome& outcome : outcomes) {
    auto node = submitted_.extract(outcome.ticket);
    if (node.empty()) continue;
    Waiting& waiting = node.mapped();
    Owed& owed = *waiting.owed;
    if (outcome.verdict == TW_RETRY) {
      to_submit_.push_back(std::move(waiting));
      again = true;
      continue;
    }
    if (outcome.verdict == TW_REJECTED) {
      ++counters_.rejected;
      owed.refused = true;
      host_.warning("record " + waiting.record.origin_key + " was refused (" +
                    std::to_string(static_cast<int>(outcome.code)) + "): " + outcome.reason);
    } else {
      ++counters_.accepted;
    }
    if (--owed.open > 0 || owed.refused) continue;
    if (const auto line = owed.line.lock())
      for (const std::string& bytes : owed.answers) send(*line, bytes);
  }
  return again;
}

bool Intake::give_up_parts(Line& line) {
  if (line.parts.empty()) return false;
  counters_.given_up += line.parts.size();
  line.parts.clear();
  return true;
}

void Intake::send(Line& line, const std::string& bytes) {
  ++counters_.answers;
  line.send(bytes);
}

}  // namespace thalweg::hj212
