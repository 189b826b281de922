// soak_samples.h: what a process holds, and whether a series of measurements grows.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace thalweg::chaos {

struct ProcessSample {
  double rss_kib = 0;   ///< VmRSS
  double anon_kib = 0;  ///< of it, what no file stands behind
  double descriptors = 0;
};
/// Nothing when there is no such process.
std::optional<ProcessSample> sample_process(pid_t pid);

/// Median of the slopes of all pairs (Theil–Sen): a few wild values do not move it. Per unit of `at`; 0 below two
/// points. Costs the square of their number.
double slope(std::span<const double> at, std::span<const double> values);
double quantile(std::vector<double> values, double q);

/// What a series did over the measured time, and what it may do.
struct Growth {
  double first = 0, last = 0;  ///< medians of the first and the last quarter
  double grown = 0;            ///< slope times time
  bool within(double share, double slack) const { return grown <= share * first + slack; }
};
Growth growth(std::span<const double> at, std::span<const double> values);

}  // namespace thalweg::chaos
