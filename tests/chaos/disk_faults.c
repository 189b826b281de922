// disk_faults.c: preloaded into a program: calls on files below a folder fail as a shared file says, now (disk_switch.h
// has the same struct). A write leaves half of its bytes first, as a failing disk does. Variable: THALWEG_TEST_DISK.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <unistd.h>

struct order {
  volatile int on_write, on_sync, on_read, on_open;  // errno, or 0
  volatile int hits;
  char below[492];
};

static struct order* order;

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

__attribute__((constructor)) static void begin(void) {
  const char* path = getenv("THALWEG_TEST_DISK");
  const int file = path == NULL ? -1 : REAL(open)(path, O_RDWR | O_CLOEXEC);
  if (file < 0) return;
  void* at = mmap(NULL, sizeof *order, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (at != MAP_FAILED) order = at;
  close(file);
}

/// Fails with `error` when that is set and the path is below the folder.
static int fails(int error, const char* path) {
  if (error == 0 || strncmp(path, order->below, strlen(order->below)) != 0) return 0;
  __atomic_add_fetch(&order->hits, 1, __ATOMIC_RELAXED);
  errno = error;
  return 1;
}

static int fails_at(int error, int fd) {
  char link[40], path[512];
  if (error == 0) return 0;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  const ssize_t size = readlink(link, path, sizeof path - 1);
  if (size < 0) return 0;
  path[size] = '\0';
  return fails(error, path);
}

static int asked(const volatile int* what) { return order == NULL ? 0 : *what; }

ssize_t pwrite(int fd, const void* bytes, size_t size, off_t offset) {
  if (fails_at(asked(&order->on_write), fd)) {
    const int error = errno;
    (void)!REAL(pwrite)(fd, bytes, size / 2, offset);
    errno = error;
    return -1;
  }
  return REAL(pwrite)(fd, bytes, size, offset);
}
ssize_t pwrite64(int fd, const void* bytes, size_t size, off64_t offset) { return pwrite(fd, bytes, size, offset); }

ssize_t pread(int fd, void* bytes, size_t size, off_t offset) {
  return fails_at(asked(&order->on_read), fd) ? -1 : REAL(pread)(fd, bytes, size, offset);
}
ssize_t pread64(int fd, void* bytes, size_t size, off64_t offset) { return pread(fd, bytes, size, offset); }

int fdatasync(int fd) { return fails_at(asked(&order->on_sync), fd) ? -1 : REAL(fdatasync)(fd); }
int fsync(int fd) { return fails_at(asked(&order->on_sync), fd) ? -1 : REAL(fsync)(fd); }

int ftruncate(int fd, off_t size) { return fails_at(asked(&order->on_write), fd) ? -1 : REAL(ftruncate)(fd, size); }
int ftruncate64(int fd, off64_t size) { return ftruncate(fd, size); }

int rename(const char* from, const char* to) {
  return fails(asked(&order->on_write), from) ? -1 : REAL(rename)(from, to);
}
int unlink(const char* path) { return fails(asked(&order->on_write), path) ? -1 : REAL(unlink)(path); }

int open(const char* path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(more, mode_t) : 0;
  va_end(more);
  if (fails(asked(&order->on_open), path)) return -1;
  // A file system without writing still opens what is only read.
  if ((flags & O_ACCMODE) != O_RDONLY && asked(&order->on_write) == EROFS && fails(EROFS, path)) return -1;
  return REAL(open)(path, flags, mode);
}
int open64(const char* path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(more, mode_t) : 0;
  va_end(more);
  return open(path, flags, mode);
}
