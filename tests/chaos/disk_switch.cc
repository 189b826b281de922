#include "chaos/disk_switch.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>

#include "base/invariant.h"

namespace thalweg::chaos {

struct DiskSwitch::Order {
  volatile int on_write, on_sync, on_read, on_open;
  volatile int hits;
  char below[492];
};

DiskSwitch::DiskSwitch(Path file) : file_(std::move(file)) {
  const int fd = ::open(file_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  THALWEG_INVARIANT(fd >= 0 && ::ftruncate(fd, sizeof(Order)) == 0);
  void* at = ::mmap(nullptr, sizeof(Order), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  ::close(fd);
  THALWEG_INVARIANT(at != MAP_FAILED);
  order_ = static_cast<Order*>(at);
}

DiskSwitch::~DiskSwitch() {
  if (order_ != nullptr) ::munmap(order_, sizeof(Order));
}

std::vector<std::string> DiskSwitch::variables(const Path& library) const {
  return {"LD_PRELOAD=" + library.string(), "THALWEG_TEST_DISK=" + file_.string()};
}

void DiskSwitch::fail(const DiskFault& fault, const Path& folder) {
  for (volatile int* one : {&order_->on_write, &order_->on_sync, &order_->on_read, &order_->on_open})
    *one = 0;  // while the folder changes
  THALWEG_INVARIANT(folder.string().size() < sizeof order_->below);
  std::strcpy(order_->below, folder.c_str());
  order_->hits = 0;
  order_->on_write = fault.on_write;
  order_->on_sync = fault.on_sync;
  order_->on_read = fault.on_read;
  order_->on_open = fault.on_open;
}

int DiskSwitch::hits() const { return order_->hits; }

}  // namespace thalweg::chaos
