#include "chaos/soak_samples.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>

namespace thalweg::chaos {

std::optional<ProcessSample> sample_process(pid_t pid) {
  const std::filesystem::path proc = "/proc/" + std::to_string(pid);
  std::ifstream status(proc / "status");
  ProcessSample sample;
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmRSS:")) sample.rss_kib = std::stod(line.substr(6));
    if (line.starts_with("RssAnon:")) sample.anon_kib = std::stod(line.substr(8));
  }
  std::error_code error;
  for (std::filesystem::directory_iterator at(proc / "fd", error), end; !error && at != end; at.increment(error))
    ++sample.descriptors;
  if (error || sample.rss_kib == 0) return std::nullopt;
  return sample;
}

double quantile(std::vector<double> values, double q) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  return values[std::min(values.size() - 1, static_cast<std::size_t>(q * static_cast<double>(values.size())))];
}

double slope(std::span<const double> at, std::span<const double> values) {
  std::vector<double> all;
  for (std::size_t i = 0; i < values.size(); ++i)
    for (std::size_t j = i + 1; j < values.size(); ++j)
      if (at[j] != at[i]) all.push_back((values[j] - values[i]) / (at[j] - at[i]));
  return quantile(std::move(all), 0.5);
}

Growth growth(std::span<const double> at, std::span<const double> values) {
  if (values.empty()) return {};
  const std::size_t quarter = std::max<std::size_t>(1, values.size() / 4);
  const auto median = [](std::span<const double> some) { return quantile({some.begin(), some.end()}, 0.5); };
  return {median(values.first(quarter)), median(values.last(quarter)), slope(at, values) * (at.back() - at.front())};
}

}  // namespace thalweg::chaos
