// replay.cc: runs a fuzz target over kept inputs, and over each of them cut and with bytes changed, without a fuzzer.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

/// From memory of exactly this size, so that a sanitizer sees every byte read beyond it.
void feed(const std::vector<std::uint8_t>& bytes) {
  const std::vector<std::uint8_t> exact(bytes.begin(), bytes.end());
  LLVMFuzzerTestOneInput(exact.data(), exact.size());
}

}  // namespace

int main(int argc, char** argv) {
  std::size_t inputs = 0;
  for (int i = 1; i < argc; ++i) {
    if (!std::filesystem::is_directory(argv[i])) {
      std::fprintf(stderr, "%s: no such folder\n", argv[i]);
      return 66;
    }
    for (const auto& one : std::filesystem::directory_iterator(argv[i])) {
      std::ifstream file(one.path(), std::ios::binary);
      const std::vector<std::uint8_t> bytes{std::istreambuf_iterator<char>(file), {}};
      ++inputs;
      feed(bytes);
      const std::size_t step = std::max<std::size_t>(1, bytes.size() / 200);
      for (std::size_t at = 0; at < bytes.size(); at += step) {
        feed({bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(at)});
        for (const int bit : {1, 0x20, 0x80, 0xff}) {
          std::vector<std::uint8_t> changed = bytes;
          changed[at] = static_cast<std::uint8_t>(changed[at] ^ bit);
          feed(changed);
        }
      }
    }
  }
  std::printf("%zu inputs\n", inputs);
  return inputs == 0 ? 1 : 0;  // a replay of nothing shows nothing
}
