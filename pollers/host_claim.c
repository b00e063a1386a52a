#include "host_claim.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static socklen_t name_of(const char *host_uuid, struct sockaddr_un *ret)
{
    *ret = (struct sockaddr_un){.sun_family = AF_UNIX};
    int n = snprintf(ret->sun_path + 1, sizeof ret->sun_path - 1, "pluvio-poller/%s", host_uuid);
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n);
}

/* The process behind the name; 0: not known, it is gone meanwhile or as many have asked as its backlog holds. */
static pid_t holder(const struct sockaddr_un *name, socklen_t size)
{
    struct ucred who = {0};
    socklen_t length = sizeof who;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return 0;
    if (connect(fd, (const struct sockaddr *)name, size) || getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &length))
        who.pid = 0;
    close(fd);
    return who.pid;
}

static int is_held(const struct sockaddr_un *name, socklen_t size, const char *host_uuid, struct error *error)
{
    char process[32] = "";
    pid_t pid = holder(name, size);
    if (pid)
        snprintf(process, sizeof process, " (pid %d)", (int)pid);
    return error_set(error, -EBUSY,
                     "another pluvio-poller%s reads host %s already: one a host, or its VMs would be billed twice",
                     process, host_uuid);
}

int host_claim(const char *host_uuid, struct error *error)
{
    struct sockaddr_un name;
    socklen_t size = name_of(host_uuid, &name);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return error_set(error, -errno, "no socket to be had: %s", strerror(errno));
    if (bind(fd, (struct sockaddr *)&name, size) == 0 && listen(fd, 1) == 0)
        return fd;
    int code = errno;
    close(fd);
    if (code != EADDRINUSE)
        return error_set(error, -code, "the host's name cannot be held: %s", strerror(code));
    return is_held(&name, size, host_uuid, error);
}
