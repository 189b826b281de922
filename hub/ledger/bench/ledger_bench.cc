// ledger_bench.cc: what the segment log costs beside the raw file, and what compressing sealed segments would gain.
//
//   bench_ledger append FOLDER      blocks against pwrite and fdatasync, in turns
//   bench_ledger commit FOLDER      GroupCommit: idle latency, records per second
//   bench_ledger read FOLDER        following, opening, indexes
//   bench_ledger segment FILE CSV RECORDS_PER_PARCEL   writes one segment of LZ4 parcels, for compressors to try
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <thread>

#include "ledger/bench/real_records.h"
#include "ledger/entries.h"
#include "ledger/follower.h"
#include "ledger/group_commit.h"
#include "ledger/place_index.h"
#include "ledger/record_index.h"
#include "ledger/segment_log.h"
#include "model/parcel.h"
#include "trust/keys.h"
#include "trust/seal.h"

using namespace thalweg;
using namespace thalweg::ledger;

namespace {

double now_us() {
  return std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double percentile(std::vector<double>& v, double p) {
  std::sort(v.begin(), v.end());
  return v.empty() ? 0 : v[std::min(v.size() - 1, static_cast<std::size_t>(p * static_cast<double>(v.size())))];
}

void need(bool good, const char* what) {
  if (good) return;
  std::fprintf(stderr, "%s failed\n", what);
  std::exit(1);
}

std::unique_ptr<SegmentLog> fresh(const Path& folder, SegmentOptions options = {}) {
  std::error_code ignored;
  std::filesystem::remove_all(folder, ignored);
  auto log = SegmentLog::open(real_files(), folder, std::move(options));
  need(log.has_value(), "open");
  return *std::move(log);
}

Bytes noise(std::size_t size) {
  std::mt19937_64 random(size);
  Bytes out(size);
  for (auto& b : out) b = static_cast<std::uint8_t>(random());
  return out;
}

/// Raw: what anybody would write by hand, growing the file; filled: the same into a file of zeros.
void append(const Path& folder) {
  std::filesystem::create_directories(folder);
  std::printf("%10s %10s %10s %10s %8s   p50/p99 us raw | log\n", "block", "raw/s", "filled/s", "log/s", "log/raw");
  for (std::size_t size : {1u << 10, 16u << 10, 64u << 10, 256u << 10, 1u << 20}) {
    auto log = fresh(folder / "log");
    const int raw = ::open((folder / "raw").c_str(), O_CREAT | O_TRUNC | O_RDWR, 0600);
    const int filled = ::open((folder / "filled").c_str(), O_CREAT | O_TRUNC | O_RDWR, 0600);
    const int rounds = 12, each = size >= (256u << 10) ? 20 : 100;
    const Bytes bytes = noise(size);
    const Bytes zeros(1u << 20);
    for (std::size_t at = 0; at < size * rounds * each; at += zeros.size())
      need(::pwrite(filled, zeros.data(), zeros.size(), static_cast<off_t>(at)) > 0, "pwrite");
    need(::fdatasync(filled) == 0, "fdatasync");
    std::vector<double> raw_us, filled_us, log_us;
    off_t end = 0;
    for (int r = 0; r < rounds; ++r) {
      for (int kind = 0; kind < 3; ++kind) {
        off_t at = end;
        for (int i = 0; i < each; ++i) {
          const double begun = now_us();
          if (kind == 2) {
            const EntryRef entry{2, bytes};
            need(log->append({&entry, 1}, 1).has_value(), "append");
          } else {
            const int fd = kind == 0 ? raw : filled;
            need(::pwrite(fd, bytes.data(), size, at) == static_cast<ssize_t>(size), "pwrite");
            need(::fdatasync(fd) == 0, "fdatasync");
            at += static_cast<off_t>(size);
          }
          (kind == 0 ? raw_us : kind == 1 ? filled_us : log_us).push_back(now_us() - begun);
        }
        if (kind == 1) end = at;
      }
    }
    auto rate = [](const std::vector<double>& v) {
      double sum = 0;
      for (double d : v) sum += d;
      return 1e6 * static_cast<double>(v.size()) / sum;
    };
    const double a = rate(raw_us), b = rate(filled_us), c = rate(log_us);
    std::printf("%10zu %10.0f %10.0f %10.0f %7.0f%%   %.0f/%.0f | %.0f/%.0f\n", size, a, b, c, 100 * c / a,
                percentile(raw_us, .5), percentile(raw_us, .99), percentile(log_us, .5), percentile(log_us, .99));
    ::close(raw);
    ::close(filled);
  }
}

void commit(const Path& folder) {
  {
    auto log = fresh(folder / "log");
    GroupCommit group(*log, system_clock(), {});
    std::vector<double> idle;
    for (int i = 0; i < 1000; ++i) {
      std::atomic<double> done = 0;
      const double begun = now_us();
      need(group.submit(2, noise(1024), [&](const Result<Committed>&) { done = now_us(); }).has_value(), "submit");
      while (done == 0) std::this_thread::yield();
      idle.push_back(done - begun);
    }
    std::printf("one entry of 1 KB alone: p50 %.0f us, p99 %.0f us\n", percentile(idle, .5), percentile(idle, .99));
  }
  for (std::int64_t delay_ms : {0, 1, 5}) {
    for (std::size_t size : {1u << 10, 32u << 10}) {
      auto log = fresh(folder / "log");
      GroupCommitOptions options;
      options.extra_sync_delay_ns = delay_ms * 1'000'000;
      GroupCommit group(*log, system_clock(), options);
      const Bytes bytes = noise(size);
      const std::size_t total = std::size_t{256} << 20;
      const double begun = now_us();
      for (std::size_t sent = 0; sent < total;) {
        if (group.submit(2, bytes, nullptr)) {
          sent += size;
        } else {
          std::this_thread::sleep_for(std::chrono::microseconds(50));
        }
      }
      group.flush();
      const double seconds = (now_us() - begun) / 1e6;
      std::printf("entries of %zu KB, %lld ms added per sync: %.0f entries/s, %.0f MB/s, %.1f entries a block\n",
                  size >> 10, static_cast<long long>(delay_ms), static_cast<double>(total / size) / seconds,
                  static_cast<double>(total) / 1e6 / seconds,
                  static_cast<double>(group.counters().entries) / static_cast<double>(group.counters().blocks));
    }
  }
}

/// 300 MB of parcel entries for ten receivers in turn, 200 records each; then everything that reads.
void read(const Path& folder) {
  const std::uint64_t parcels = 12'000, per_parcel = 200;
  {
    auto log = fresh(folder / "log");
    std::filesystem::remove_all(folder / "derived");
    const Bytes parcel = noise(25'000);  // 200 records of 1 KB, compressed 8 times
    std::vector<std::uint64_t> sequences(10);
    for (std::uint64_t i = 0; i < parcels; i += 4) {
      std::vector<Bytes> heads;
      std::vector<EntryRef> entries;
      for (std::uint64_t k = 0; k < 4; ++k) {
        Decision d;
        const std::uint64_t receiver = (i + k) % 10;
        d.grants.push_back({"laixi-routine", 1, 0, {{0, 200}}, {"r" + std::to_string(receiver)}});
        d.sequences.push_back({"r" + std::to_string(receiver), ++sequences[receiver]});
        heads.push_back(encode_parcel_head({}, d));
      }
      for (const Bytes& head : heads) entries.push_back({2, head, parcel});
      need(log->append(entries, 1).has_value(), "append");
    }
    std::printf("%.0f MB in %zu segments\n", static_cast<double>(log->total_bytes()) / 1e6, log->segments().size());
  }
  double begun = now_us();
  auto opened = SegmentLog::open(real_files(), folder / "log", {});
  need(opened.has_value(), "open");
  SegmentLog& log = **opened;
  std::printf("open: %.1f ms, %.1f MB checked\n", (now_us() - begun) / 1e3,
              static_cast<double>(log.segments().back().bytes) / 1e6);
  begun = now_us();
  std::uint64_t bytes = 0;
  for (Follower follower(log, 1);;) {
    auto block = follower.next();
    need(block.has_value(), "next");
    if (!*block) break;
    bytes += (*block)->info.bytes;
  }
  std::printf("follow all: %.0f MB/s (from the system's cache)\n", static_cast<double>(bytes) / (now_us() - begun));
  for (const char* how : {"rebuild", "again"}) {
    begun = now_us();
    auto places = PlaceIndex::open(log, folder / "derived", hub_deliveries);
    need(places && (*places)->write_sealed(), "places");
    std::printf("place index, %s: %.1f ms\n", how, (now_us() - begun) / 1e3);
    begun = now_us();
    std::uint64_t read = 0;
    for (std::uint64_t sequence = 1; auto run = (*places)->read("r3", sequence, 64);) {
      if (run->empty()) break;
      read += run->size();
      sequence += run->size();
    }
    std::printf("  read on over %llu deliveries: %.2f us each\n", static_cast<unsigned long long>(read),
                (now_us() - begun) / static_cast<double>(read));
  }
  auto extract = [&](const Block& block, const RecordIndex::Give& give) -> Status {
    for (std::uint32_t e = 0; e < block.entries.size(); ++e)
      for (std::uint32_t i = 0; i < per_parcel; ++i) {
        RecordId id;
        const std::uint64_t a = block.info.number * 1'000'003, b = e * per_parcel + i;
        std::memcpy(id.bytes.data(), &a, 8);
        std::memcpy(id.bytes.data() + 8, &b, 8);
        give(id, e, i);
      }
    return {};
  };
  for (const char* how : {"rebuild", "again"}) {
    begun = now_us();
    auto records = RecordIndex::open(log, folder / "derived", extract);
    need(records && (*records)->write_files(), "records");
    std::printf("record index, %s (%llu records): %.0f ms\n", how,
                static_cast<unsigned long long>(parcels * per_parcel), (now_us() - begun) / 1e3);
    begun = now_us();
    RecordId id;
    const std::uint64_t a = 100 * 1'000'003;
    std::memcpy(id.bytes.data(), &a, 8);
    for (int i = 0; i < 100; ++i) need((*records)->find(id)->has_value(), "find");
    std::printf("  find: %.0f us\n", (now_us() - begun) / 100);
  }
}

void segment(const std::string& file, const std::string& csv, std::size_t per_parcel) {
  const auto rows = bench::readings(csv);
  need(!rows.empty(), "reading the table");
  std::array<std::uint8_t, 32> seed{1};
  const auto key = trust::SigningKey::from_seed(seed);
  Bytes out;
  std::uint64_t n = 0, raw = 0, packed = 0, entry_bytes = 0, parcels = 0;
  ParcelHeader header;
  header.party = "500153";
  header.gate = "g1";
  while (out.size() < (16u << 20) && n < 400'000) {
    std::vector<Bytes> records;
    std::vector<ByteView> views;
    for (std::size_t i = 0; i < per_parcel; ++i) records.push_back(bench::record(rows, n++));
    for (const Bytes& r : records) views.push_back(r), raw += r.size();
    header.number += 1;
    auto parcel = trust::seal_parcel(header, views, key, Compression::kLz4);
    need(parcel.has_value(), "seal");
    Decision d;
    d.grants.push_back({"laixi-routine", 1, 0, {{0, static_cast<std::uint32_t>(per_parcel)}}, {"510521"}});
    d.sequences.push_back({"510521", header.number});
    const Bytes head = encode_parcel_head({}, d);
    packed += parcel->size();
    entry_bytes += head.size() + 5;
    ++parcels;
    out.push_back(2);
    ByteWriter w(out);
    w.u32(static_cast<std::uint32_t>(head.size() + parcel->size()));
    w.raw(head);
    w.raw(*parcel);
  }
  std::printf(
      "%zu records a parcel: %.0f bytes a record, parcel %.0f bytes (1 : %.1f), entry overhead %.1f bytes a parcel\n",
      per_parcel, static_cast<double>(raw) / static_cast<double>(n),
      static_cast<double>(packed) / static_cast<double>(parcels),
      static_cast<double>(raw) / static_cast<double>(packed),
      static_cast<double>(entry_bytes) / static_cast<double>(parcels));
  std::FILE* f = std::fopen(file.c_str(), "wb");
  need(f && std::fwrite(out.data(), 1, out.size(), f) == out.size(), "writing");
  std::fclose(f);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string what = argc > 2 ? argv[1] : "";
  if (what == "append") return append(argv[2]), 0;
  if (what == "commit") return commit(argv[2]), 0;
  if (what == "read") return read(argv[2]), 0;
  if (what == "segment" && argc > 4) return segment(argv[2], argv[3], std::stoul(argv[4])), 0;
  std::fprintf(stderr, "usage: bench_ledger append|commit|read FOLDER, or segment FILE CSV RECORDS_PER_PARCEL\n");
  return 2;
}
