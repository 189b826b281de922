// sample_records.h: good records of the Laixi region, for tests that need some.
#pragma once

#include <string>
#include <vector>

#include "model/record_builder.h"
#include "support/temp_folder.h"

namespace thalweg::samples {

/// One reading at 高洞电站, its data as a station's adapter makes it.
inline std::string observation_data(const std::string& oxygen = "2.82", const std::string& section = "laixi-gaodong") {
  return R"({"section":")" + section +
         R"(","station":"A500226_0002","time":"2026-09-23T06:00:00+08:00","time_label":"instant","mode":"automatic","review":"raw",)"
         R"("factors":[{"code":"w01009","name":"溶解氧","text":")" +
         oxygen + R"(","value":)" + oxygen + R"(,"unit":"mg/L","flag":"N"}]})";
}

inline std::string notice_data(const std::string& kind, const std::string& incident = "2026-0923-01") {
  return R"({"incident":")" + incident + R"(","kind":")" + kind +
         R"(","river":"laixi","section":"laixi-gaodong","learned_at":"2026-09-23T06:20:00+08:00","contact":"值班员","telephone":"023-00000000"})";
}

inline std::string enforcement_data(const std::vector<std::string>& parties) {
  std::string list;
  for (const std::string& party : parties)
    list += (list.empty() ? "" : ",") + std::string(R"({"code":")") + party + R"(","role":"partner"})";
  return R"({"case":"case-7","kind":"joint_patrol","step":"found","at":"2026-09-23T09:00:00+08:00","parties":[)" +
         list + "]}";
}

/// A whole record. Aborts the test when it cannot be built.
inline Bytes record(const std::string& party, const std::string& type, const std::string& subject,
                    const std::string& data, Lane lane = Lane::kRoutine, const std::string& key = "1") {
  Draft draft;
  const std::int64_t ms = 1'790'114'400'000;
  draft.id = record_id_for(ms, party, "test", key);
  draft.party = party;
  draft.type = type;
  draft.subject = subject;
  draft.time = "2026-09-23T06:00:00+08:00";
  draft.lane = lane;
  draft.submitter = "test";
  draft.data_json = data;
  Bytes out;
  if (const Status built = build_record(draft, out); !built) throw std::runtime_error(built.error().message);
  return out;
}

inline Bytes observation(const std::string& party, const std::string& key = "1", const std::string& oxygen = "2.82") {
  return record(party, "thalweg.section.observation.v1", "laixi-gaodong", observation_data(oxygen), Lane::kRoutine,
                key);
}

inline Bytes notice(const std::string& party, const std::string& kind, Lane lane = Lane::kUrgent,
                    const std::string& key = "1") {
  return record(party, "thalweg.emergency.notice.v1", "2026-0923-01", notice_data(kind), lane, key);
}

}  // namespace thalweg::samples
