// net_wall_clock.c: preloaded into a program: its wall clock is off by what a file says, now (i64 seconds). Steady
// clocks are not touched. Variable: THALWEG_TEST_CLOCK, the file.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const volatile long long* off_s;
static int (*real_clock_gettime)(clockid_t, struct timespec*);

__attribute__((constructor)) static void begin(void) {
  const char* path = getenv("THALWEG_TEST_CLOCK");
  const int file = path == NULL ? -1 : open(path, O_RDONLY | O_CLOEXEC);
  real_clock_gettime = (int (*)(clockid_t, struct timespec*))dlsym(RTLD_NEXT, "clock_gettime");
  if (file < 0) return;
  void* at = mmap(NULL, sizeof *off_s, PROT_READ, MAP_SHARED, file, 0);
  if (at != MAP_FAILED) off_s = at;
  close(file);
}

int clock_gettime(clockid_t which, struct timespec* now) {
  if (real_clock_gettime == NULL) begin();
  const int failed = real_clock_gettime(which, now);
  if (failed == 0 && off_s != NULL && (which == CLOCK_REALTIME || which == CLOCK_REALTIME_COARSE))
    now->tv_sec += *off_s;
  return failed;
}

int gettimeofday(struct timeval* restrict now, void* restrict zone) {
  (void)zone;
  struct timespec exact;
  if (clock_gettime(CLOCK_REALTIME, &exact) != 0) return -1;
  now->tv_sec = exact.tv_sec;
  now->tv_usec = exact.tv_nsec / 1000;
  return 0;
}

time_t time(time_t* out) {
  struct timespec now;
  if (clock_gettime(CLOCK_REALTIME, &now) != 0) return (time_t)-1;
  if (out != NULL) *out = now.tv_sec;
  return now.tv_sec;
}
