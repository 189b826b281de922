// disk_test.cc: a slow or failing disk below the hub, seen by gates that send to it.
#include <catch2/catch.hpp>

#include "support/exchange.h"
#include "support/own_gate.h"
#include "support/real_disk.h"
#include "support/sample_records.h"

using namespace thalweg;

namespace {

struct Enrolled : Exchange {
  Enrolled() {
    start_hub();
    enrol("rongchang", "500153");
    enrol("luxian", "510521");
  }
  void restart_on(FileSystem& disk) {
    stop_hub();
    hub_files = &disk;
    start_hub();
  }
};

}  // namespace

namespace {

/// The real disk, whose syncs wait while it is told to hold them.
class SlowDisk final : public RoomyDisk {
 public:
  void release() {
    held_ = false;
    held_.notify_all();
  }
  /// Holds them until it goes, or until release().
  class Hold {
   public:
    explicit Hold(SlowDisk& disk) : disk_(disk) { disk_.held_ = true; }
    ~Hold() { disk_.release(); }
    Hold(const Hold&) = delete;

   private:
    SlowDisk& disk_;
  };

  Result<std::unique_ptr<File>> open(const Path& path, OpenMode mode) override {
    TW_ASSIGN(auto file, RoomyDisk::open(path, mode));
    return std::unique_ptr<File>(std::make_unique<Slow>(std::move(file), held_));
  }

 private:
  class Slow final : public RealFile {
   public:
    Slow(std::unique_ptr<File> file, const std::atomic<bool>& held) : RealFile(std::move(file)), held_(held) {}
    Status sync() override {
      held_.wait(true);
      return RealFile::sync();
    }

   private:
    const std::atomic<bool>& held_;
  };

  std::atomic<bool> held_{false};
};

}  // namespace

namespace {

/// A disk that fails to write, or to read, while it is told to.
class FailingDisk final : public RoomyDisk {
 public:
  std::atomic<bool> writes_fail{false}, reads_fail{false};

  Result<std::unique_ptr<File>> open(const Path& path, OpenMode mode) override {
    TW_ASSIGN(auto file, RoomyDisk::open(path, mode));
    return std::unique_ptr<File>(std::make_unique<Failing>(std::move(file), *this));
  }

 private:
  class Failing final : public RealFile {
   public:
    Failing(std::unique_ptr<File> file, const FailingDisk& disk) : RealFile(std::move(file)), disk_(disk) {}
    Result<std::size_t> read_at(std::uint64_t offset, std::span<std::uint8_t> into) const override {
      if (disk_.reads_fail) return Error{Code::kIo, "ordered to fail"};
      return RealFile::read_at(offset, into);
    }
    Status write_at(std::uint64_t offset, ByteView bytes) override {
      if (disk_.writes_fail) return Error{Code::kIo, "ordered to fail"};
      return RealFile::write_at(offset, bytes);
    }

   private:
    const FailingDisk& disk_;
  };
};

}  // namespace

TEST_CASE("what the hub could not write uses up nothing of what a gate may begin in a day") {
  FailingDisk disk;
  Enrolled x;
  x.restart_on(disk);
  OwnGate gate(x, "rongchang");
  const Bytes parcel = gate.parcel(samples::observation("500153", "1"));
  disk.writes_fail = true;
  for (std::size_t i = 1; i <= 110; ++i) {
    gate.send(1, parcel);
    REQUIRE(eventually([&] { return gate.acks().size() == i; }));
    REQUIRE(gate.acks().back().code == Code::kIo);
  }
  disk.writes_fail = false;
  gate.send(1, parcel);
  REQUIRE(eventually([&] { return gate.acks().size() == 111; }));
  CHECK(gate.acks().back().code == Code::kOk);
}

TEST_CASE("a receipt for a record that cannot be read now is not refused for good, but asked for again") {
  FailingDisk disk;
  Enrolled x;
  x.hub_segment_bytes = 16u << 10;  // all but the newest segment are read from the disk
  x.restart_on(disk);
  {
    OwnGate sender(x, "rongchang");
    for (std::uint64_t number = 1; number <= 60; ++number) {
      sender.send(number, sender.parcel(samples::observation("500153", std::to_string(number))));
      REQUIRE(sender.answer(number) == Code::kOk);
    }
  }
  x.stop_hub();
  x.start_hub();
  const RecordId answered = record_id_for(1'790'114'400'000, "500153", "test", "1");
  const Bytes receipt = samples::record("510521", "thalweg.receipt.v1", "record",
                                        R"({"record":")" + answered.text() +
                                            R"(","stage":"signed","party":"510521","officer":"test","by":"cli",)"
                                            R"("at":"2026-09-23T06:52:00+08:00"})",
                                        Lane::kRoutine, "1");
  OwnGate gate(x, "luxian");
  const Bytes parcel = gate.parcel(receipt);
  disk.reads_fail = true;
  gate.send(1, parcel);
  REQUIRE(eventually([&] { return gate.acks().size() == 1; }));
  CHECK(gate.acks().back().code == Code::kIo);
  disk.reads_fail = false;
  gate.send(1, parcel);
  REQUIRE(eventually([&] { return gate.acks().size() == 2; }));
  CHECK(gate.acks().back().code == Code::kOk);
  CHECK(must(ParcelVerdicts::decode(gate.acks().back().verdicts)).find(0) == nullptr);
}

TEST_CASE("a parcel sent again over a new line while the disk still writes it is answered on the new line") {
  SlowDisk disk;
  Enrolled x;
  x.restart_on(disk);
  Uuid incarnation;
  std::vector<Bytes> parcels;
  const SlowDisk::Hold hold(disk);
  {
    OwnGate gate(x, "rongchang", [&](link::Hello& hello) { incarnation = hello.incarnation; });
    for (std::uint64_t number = 1; number <= 2; ++number) {
      parcels.push_back(gate.parcel(samples::observation("500153", std::to_string(number))));
      gate.send(number, parcels.back());
    }
    gate.sync();
  }
  OwnGate gate(x, "rongchang", [&](link::Hello& hello) { hello.incarnation = incarnation; });
  CHECK(gate.welcome().accepted_head == 0);
  SECTION("the same") {
    for (std::uint64_t number = 1; number <= 2; ++number) gate.send(number, parcels[number - 1]);
    gate.sync();
    disk.release();
    for (std::uint64_t number = 1; number <= 2; ++number) CHECK(gate.answer(number) == Code::kOk);
  }
  SECTION("another under its number") {
    gate.send(1, gate.parcel(samples::observation("500153", "3")));
    CHECK(gate.answer(1) == Code::kParcelConflict);
  }
}
