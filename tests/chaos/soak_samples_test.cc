// soak_samples_test.cc: growth is found where it is, and noise is not taken for it.
#include "chaos/soak_samples.h"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <random>

using namespace thalweg::chaos;

namespace {

struct Series {
  std::vector<double> at, values;
};
Series series(double begin, double per_step, double noise, std::uint32_t seed = 1) {
  std::mt19937 random(seed);
  Series made;
  for (int i = 0; i < 180; ++i) {
    made.at.push_back(10.0 * i);
    made.values.push_back(begin + per_step * i + noise * (static_cast<double>(random() % 2001) / 1000 - 1));
  }
  return made;
}

}  // namespace

TEST_CASE("a level series has not grown, however noisy, and a few wild values do not matter") {
  for (std::uint32_t seed = 0; seed < 20; ++seed) {
    Series level = series(50'000, 0, 2'000, seed);
    level.values[100] = level.values[170] = 500'000;
    CHECK(growth(level.at, level.values).within(0.02, 0));
  }
}

TEST_CASE("a steady leak below the noise is found, and its size is told") {
  const Series leak = series(50'000, 50, 2'000);  // 9,000 in the end
  const Growth found = growth(leak.at, leak.values);
  CHECK(found.grown == Approx(50 * 179).epsilon(0.05));
  CHECK_FALSE(found.within(0.1, 2'000));
}

TEST_CASE("a series that falls has not grown") {
  const Series falling = series(50'000, -50, 100);
  CHECK(growth(falling.at, falling.values).within(0, 0));
  CHECK(growth({}, {}).within(0, 0));
}

TEST_CASE("this process is seen with its memory and its descriptors") {
  const auto before = sample_process(::getpid());
  REQUIRE(before);
  CHECK(before->rss_kib > 1000);
  CHECK(before->anon_kib <= before->rss_kib);
  const int more[] = {::dup(0), ::dup(0), ::dup(0)};
  CHECK(sample_process(::getpid())->descriptors == before->descriptors + 3);
  for (const int one : more) ::close(one);
  CHECK_FALSE(sample_process(0x7fffffff));
}
