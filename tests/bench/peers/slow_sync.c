/* slow_sync.c: preloaded into a server, adds THALWEG_SYNC_DELAY_US to every fsync() and fdatasync(): an office disk. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <unistd.h>

typedef int (*sync_function)(int);

static int delayed(const char* name, int fd) {
  const char* delay = getenv("THALWEG_SYNC_DELAY_US");
  if (delay != NULL) usleep((useconds_t)atoi(delay));
  sync_function real;
  *(void**)&real = dlsym(RTLD_NEXT, name);
  return real(fd);
}

int fsync(int fd) { return delayed("fsync", fd); }
int fdatasync(int fd) { return delayed("fdatasync", fd); }
