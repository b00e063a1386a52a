/* The file through which a poller finds an embedded broker. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pluvio/kafka/log_rdkafka.h"

static int write_synced(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0)
        return -errno;
    size_t size = strlen(text);
    /* Pollers of other users follow it, whatever this process's umask. */
    int r =
        fchmod(fd, 0644) == 0 && write(fd, text, size) == (ssize_t)size && fsync(fd) == 0 ? 0 : -(errno ? errno : EIO);
    close(fd);
    return r;
}

int broker_address_write(const char *path, const char *bootstrap, struct error *error)
{
    char temporary[4096], line[512];
    snprintf(temporary, sizeof temporary, "%s.new", path);
    snprintf(line, sizeof line, "%s\n", bootstrap);
    int r = write_synced(temporary, line);
    if (r == 0 && rename(temporary, path) != 0)
        r = -errno;
    return r ? error_set(error, r, "%s: cannot write the broker's address: %s", path, strerror(-r)) : 0;
}

int broker_address_read(const char *path, char *out, size_t size, struct error *error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return error_set(error, -errno, "%s: no broker address there (%s): is the collector running?", path,
                         strerror(errno));
    ssize_t n = read(fd, out, size);
    close(fd);
    if (n <= 0)
        return error_set(error, -ENOENT, "%s: is empty", path);
    if ((size_t)n == size)
        return error_set(error, -EMSGSIZE, "%s: is longer than an address", path);
    out[n] = 0;
    out[strcspn(out, "\r\n")] = 0;
    return *out ? 0 : error_set(error, -ENOENT, "%s: is empty", path);
}
