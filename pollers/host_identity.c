#include "host_identity.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

/* The first @size - 1 bytes of a file; false, and empty, where it has not so many. */
static bool read_start(const char *path, char *out, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : read(fd, out, size - 1);
    if (fd >= 0)
        close(fd);
    bool whole = got == (ssize_t)size - 1;
    out[whole ? size - 1 : 0] = '\0';
    return whole;
}

bool host_boot_id(char out[UUID_SIZE])
{
    return read_start("/proc/sys/kernel/random/boot_id", out, UUID_SIZE);
}

bool host_machine_id(char out[UUID_SIZE])
{
    char id[33];
    out[0] = '\0';
    if (!read_start("/etc/machine-id", id, sizeof id))
        return false;
    snprintf(out, UUID_SIZE, "%.8s-%.4s-%.4s-%.4s-%.12s", id, id + 8, id + 12, id + 16, id + 20);
    return true;
}
