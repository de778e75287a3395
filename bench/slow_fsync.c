/* Preloaded, it makes every fsync and fdatasync take SLOW_US microseconds more: a laptop plays a network disk. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <unistd.h>

static int slowly(const char *name, int fd) {
    const char *wait = getenv("SLOW_US");
    usleep(wait ? atoi(wait) : 0);
    return ((int (*)(int))dlsym(RTLD_NEXT, name))(fd);
}

int fsync(int fd) { return slowly("fsync", fd); }
int fdatasync(int fd) { return slowly("fdatasync", fd); }
