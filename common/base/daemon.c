#include "pluvio/base/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

int daemon_signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return fd < 0 ? -errno : fd;
}

enum daemon_signal daemon_signal_next(int fd)
{
    struct signalfd_siginfo info;
    if (read(fd, &info, sizeof info) != (ssize_t)sizeof info)
        return DAEMON_NONE;
    return info.ssi_signo == SIGHUP ? DAEMON_RELOAD : DAEMON_STOP;
}

void daemon_notify(const char *state)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    if (!path || (path[0] != '/' && path[0] != '@') || strlen(path) >= sizeof to.sun_path)
        return;
    memcpy(to.sun_path, path, strlen(path));
    if (path[0] == '@')
        to.sun_path[0] = '\0';
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return;
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
    /* Nobody may be listening any more, and nothing depends on it. */
    if (sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&to, size) < 0)
        errno = 0;
    close(fd);
}

static int refused(const char *path, const char *role, int fd, struct error *error)
{
    char holder[32] = "";
    ssize_t n = pread(fd, holder, sizeof holder - 1, 0);
    holder[n > 0 ? n : 0] = '\0';
    holder[strcspn(holder, "\n")] = '\0';
    return error_set(error, -EBUSY,
                     "%s: another %s (pid %s) runs with this state folder: stop it, or give this one "
                     "a folder of its own",
                     path, role, *holder ? holder : "unknown");
}

static int take(const char *path, const char *role, int fd, struct error *error)
{
    char pid[32];
    if (flock(fd, LOCK_EX | LOCK_NB))
        return errno == EWOULDBLOCK ? refused(path, role, fd, error)
                                    : error_set(error, -errno, "%s: cannot be locked: %s", path, strerror(errno));
    int n = snprintf(pid, sizeof pid, "%d\n", (int)getpid());
    if (ftruncate(fd, 0) || pwrite(fd, pid, (size_t)n, 0) != n)
        return error_set(error, errno ? -errno : -EIO, "%s: cannot be written: %s", path, strerror(errno));
    return 0;
}

int state_folder_hold(const char *path, const char *role, struct error *error)
{
    char file[4096];
    if (mkdir(path, 0750) && errno != EEXIST)
        return error_set(error, -errno, "state folder %s: cannot be made: %s", path, strerror(errno));
    snprintf(file, sizeof file, "%s/%s.lock", path, role);
    int fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
    if (fd < 0)
        return error_set(error, -errno,
                         "state folder %s: cannot be written: %s: let this user (uid %d) write there, or "
                         "name another with --state",
                         path, strerror(errno), (int)getuid());
    int r = take(path, role, fd, error);
    if (r) {
        close(fd);
        return r;
    }
    return fd;
}
