#include "base/file.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "support/temp_folder.h"

namespace thalweg {
namespace {

mode_t mode_of(const Path& path) {
  struct stat info {};
  REQUIRE(::stat(path.c_str(), &info) == 0);
  return info.st_mode & 0777;
}

}  // namespace

TEST_CASE("a file gives back what was written at each place", "[base]") {
  TempFolder folder;
  FileSystem& files = real_files();
  auto file = *files.open(folder / "a", OpenMode::kCreate);
  REQUIRE(file->write_at(0, as_bytes("0123456789")));
  REQUIRE(file->write_at(4, as_bytes("xy")));
  REQUIRE(file->sync());
  Bytes into(20);
  CHECK(*file->read_at(2, into) == 8);
  CHECK(as_text(ByteView(into).first(8)) == "23xy6789");
  CHECK(*file->read_at(10, into) == 0);
  REQUIRE(file->truncate(3));
  CHECK(*file->size() == 3);
}

TEST_CASE("new files and folders can be read by their owner only", "[base]") {
  TempFolder folder;
  FileSystem& files = real_files();
  REQUIRE(files.create_folders(folder / "a/b/"));
  REQUIRE(files.create_folders(folder / "a/b"));
  CHECK(mode_of(folder / "a") == 0700);
  CHECK(mode_of(folder / "a/b") == 0700);
  REQUIRE(files.open(folder / "a/f", OpenMode::kCreate));
  CHECK(mode_of(folder / "a/f") == 0600);
}

TEST_CASE("opening says what is wrong by its code", "[base]") {
  TempFolder folder;
  FileSystem& files = real_files();
  CHECK(files.open(folder / "absent", OpenMode::kRead).error().code == Code::kNotFound);
  CHECK(files.open(folder / "absent", OpenMode::kWrite).error().code == Code::kNotFound);
  REQUIRE(files.open(folder / "there", OpenMode::kCreate));
  CHECK(files.open(folder / "there", OpenMode::kCreate).error().code == Code::kExists);
  CHECK(files.open(folder.path(), OpenMode::kRead).error().code == Code::kIo);
  CHECK(files.create_folders(folder / "there").error().code == Code::kExists);
  CHECK(files.list(folder / "absent").error().code == Code::kNotFound);
  CHECK(files.remove(folder / "absent").error().code == Code::kNotFound);
}

TEST_CASE("a device is not opened as a file", "[base]") {
  CHECK(real_files().open("/dev/null", OpenMode::kWrite).error().code == Code::kIo);
}

TEST_CASE("a listing is sorted and holds names only", "[base]") {
  TempFolder folder;
  FileSystem& files = real_files();
  for (const char* name : {"c", "a", "b"}) REQUIRE(files.open(folder / name, OpenMode::kCreate));
  CHECK(*files.list(folder.path()) == std::vector<std::string>{"a", "b", "c"});
  REQUIRE(files.rename(folder / "c", folder / "d"));
  REQUIRE(files.remove(folder / "a"));
  REQUIRE(files.sync_folder(folder.path()));
  CHECK(*files.list(folder.path()) == std::vector<std::string>{"b", "d"});
}

TEST_CASE("a file is replaced whole and leaves nothing beside it", "[base]") {
  TempFolder folder;
  FileSystem& files = real_files();
  REQUIRE(write_file_atomically(files, folder / "f", as_bytes("old")));
  REQUIRE(write_file_atomically(files, folder / "f.new", as_bytes("left over")));
  REQUIRE(write_file_atomically(files, folder / "f", as_bytes("new")));
  CHECK(as_text(*read_file(files, folder / "f", 10)) == "new");
  CHECK(*files.list(folder.path()) == std::vector<std::string>{"f"});
  CHECK(read_file(files, folder / "f", 2).error().code == Code::kInvalid);
  CHECK(write_file_atomically(files, folder / "absent/f", as_bytes("x")).error().code == Code::kNotFound);
}

TEST_CASE("the space of a disk is known", "[base]") {
  TempFolder folder;
  const auto space = real_files().space(folder.path());
  REQUIRE(space);
  CHECK(space->total_bytes >= space->free_bytes);
  CHECK(space->total_bytes > 0);
}

TEST_CASE("a folder is locked once and the second asks which process has it", "[base]") {
  TempFolder folder;
  {
    auto lock = FolderLock::take(folder.path());
    REQUIRE(lock);
    const auto second = FolderLock::take(folder.path());
    REQUIRE_FALSE(second);
    CHECK(second.error().code == Code::kLedgerLocked);
    CHECK(second.error().message.find(std::to_string(::getpid())) != std::string::npos);
  }
  CHECK(FolderLock::take(folder.path()));
}

TEST_CASE("a process that dies lets go of its folder", "[base]") {
  TempFolder folder;
  const pid_t child = ::fork();
  if (child == 0) {
    const auto lock = FolderLock::take(folder.path());
    ::_exit(lock ? 0 : 1);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);
  CHECK(FolderLock::take(folder.path()));
}

}  // namespace thalweg
