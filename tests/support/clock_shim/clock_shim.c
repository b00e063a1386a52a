/* Clocks that a test sets: preloaded (LD_PRELOAD) into a program, whose wall clock and boot clock then differ from the
 * machine's by what stands in the file that CLOCK_SHIM names: two 64-bit integers in ns, wall and boot, which the test
 * may change at any time. A step of the wall clock changes the first, a suspended host both. Sleeping is not touched.
 */
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S 1000000000LL

struct offsets {
    _Atomic int64_t wall_ns, boot_ns;
};

static struct offsets *_Atomic offsets;
static struct offsets none;

static struct offsets *map(void)
{
    const char *path = getenv("CLOCK_SHIM");
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    void *mapped = fd >= 0 ? mmap(NULL, sizeof(struct offsets), PROT_READ, MAP_SHARED, fd, 0) : MAP_FAILED;
    if (fd >= 0)
        close(fd);
    return mapped == MAP_FAILED ? &none : mapped;
}

static int64_t offset_of(clockid_t id)
{
    if (!offsets)
        offsets = map();
    if (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE)
        return offsets->wall_ns;
    return id == CLOCK_BOOTTIME ? offsets->boot_ns : 0;
}

int clock_gettime(clockid_t id, struct timespec *ret)
{
    int r = (int)syscall(SYS_clock_gettime, id, ret);
    if (r == 0) {
        int64_t ns = (int64_t)ret->tv_sec * NS_PER_S + ret->tv_nsec + offset_of(id);
        *ret = (struct timespec){.tv_sec = ns / NS_PER_S, .tv_nsec = ns % NS_PER_S};
    }
    return r;
}
