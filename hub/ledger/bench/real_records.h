// real_records.h: distinct records of about 1 KB made from the published readings of the Chongqing stations.
#pragma once

#include <fstream>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "model/ids.h"
#include "model/record_builder.h"
#include "model/time.h"

namespace thalweg::bench {

/// Rows of cnemc_chongqing.csv, as text cells.
inline std::vector<std::vector<std::string>> readings(const std::string& csv) {
  std::ifstream in(csv);
  std::string line;
  std::vector<std::vector<std::string>> rows;
  std::getline(in, line);
  while (std::getline(in, line)) {
    std::vector<std::string> cells;
    std::stringstream split(line);
    for (std::string cell; std::getline(split, cell, ',');) cells.push_back(cell);
    if (cells.size() >= 17) rows.push_back(std::move(cells));
  }
  return rows;
}

/// Record `n`: the readings of a row, moved by a little so that no two records are equal, every hour.
inline Bytes record(const std::vector<std::vector<std::string>>& rows, std::uint64_t n) {
  static constexpr const char* kFactors[] = {"w01010", "w01001", "w01009", "w01014", "w01003", "w01019",
                                             "w21003", "w21011", "w21001", "w01016", "w19011"};
  static constexpr const char* kUnits[] = {"degC", "1",    "mg/L", "uS/cm", "NTU",    "mg/L",
                                           "mg/L", "mg/L", "mg/L", "mg/L",  "cells/L"};
  std::mt19937_64 random(n);
  const auto& row = rows[n % rows.size()];
  const std::int64_t ns = 1'790'114'400'000'000'000 + static_cast<std::int64_t>(n / rows.size()) * 3'600'000'000'000;
  const std::string time = format_rfc3339(ns, 480);
  std::string data = R"({"section":"s)" + std::to_string(n % rows.size()) + R"(","time":")" + time +
                     R"(","time_label":"instant","mode":"automatic","review":"raw","factors":[)";
  for (std::size_t f = 0; f < 11; ++f) {
    const std::string& cell = row[6 + f];
    std::string text = cell, value = "null";
    if (!cell.empty() && cell != "--" && cell.find_first_not_of("0123456789.") == std::string::npos) {
      const double moved = std::stod(cell) * (0.97 + 0.06 * static_cast<double>(random() % 1000) / 1000.0);
      const auto point = cell.find('.');
      char out[32];
      std::snprintf(out, sizeof out, "%.*f", point == std::string::npos ? 0 : static_cast<int>(cell.size() - point - 1),
                    moved);
      text = value = out;
    }
    data += std::string(f == 0 ? "" : ",") + R"({"code":")" + kFactors[f] + R"(","text":")" + text + R"(","value":)" +
            value + R"(,"unit":")" + kUnits[f] + R"("})";
  }
  data += "]}";
  Draft draft;
  draft.id = record_id_for(ns / 1'000'000, "500153", "hj212", std::to_string(n));
  draft.party = "500153";
  draft.type = "thalweg.section.observation.v1";
  draft.subject = "s" + std::to_string(n % rows.size());
  draft.time = time;
  draft.submitter = "hj212-1";
  draft.data_json = data;
  Bytes out;
  (void)build_record(draft, out).has_value();
  return out;
}

}  // namespace thalweg::bench
