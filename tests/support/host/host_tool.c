/* The two things that the host script cannot do in a shell: keep a libvirtd running as the reaper of its guests, and
 * talk with a guest over its serial port's socket.
 *
 *   host_tool keep FOLDER                 libvirtd, one after the other; SIGUSR1: none until SIGUSR2
 *   host_tool order SOCKET SECONDS ORDER  send the order, print the answer without its "ok"; 1 where the answer is an
 *                                         error, 2 where none comes in time
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LINE_SIZE     256
#define PING_EVERY_MS 300
#define HASTY_MS      500
#define HASTY_MOST    5

enum outcome { ANSWERED, REFUSED, NO_ANSWER };

static long long now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

/* ---- keep ---- */

static const sigset_t *signals(void)
{
    static sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGUSR2);
    return &set;
}

static pid_t start_daemon(const char *folder)
{
    char pid_file[512];
    snprintf(pid_file, sizeof(pid_file), "%s/libvirtd.pid", folder);
    unlink(pid_file);
    pid_t pid = fork();
    if (pid == 0) {
        sigprocmask(SIG_UNBLOCK, signals(), NULL);
        execlp("libvirtd", "libvirtd", "--pid-file", pid_file, (char *)NULL);
        perror("libvirtd");
        _exit(127);
    }
    return pid;
}

/* Take the ends of all children that have ended; true if @daemon is among them. */
static bool reap(pid_t daemon)
{
    bool ended = false;
    for (pid_t pid; (pid = waitpid(-1, NULL, WNOHANG)) > 0;)
        ended |= pid == daemon;
    return ended;
}

/* A libvirtd that ends at once time after time is given up. */
static int keep(const char *folder)
{
    bool wanted = true;
    pid_t daemon = 0;
    int hasty = 0;
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    sigprocmask(SIG_BLOCK, signals(), NULL);
    for (long long since = 0; hasty < HASTY_MOST;) {
        if (wanted && daemon <= 0) {
            since = now_ms();
            daemon = start_daemon(folder);
        }
        int sig = sigwaitinfo(signals(), NULL);
        if (sig == SIGUSR1 && daemon > 0)
            kill(daemon, SIGTERM);
        if (sig == SIGUSR1 || sig == SIGUSR2)
            wanted = sig == SIGUSR2;
        if (reap(daemon)) {
            daemon = 0;
            hasty = wanted && now_ms() - since < HASTY_MS ? hasty + 1 : 0;
        }
    }
    fprintf(stderr, "libvirtd ends as soon as it starts\n");
    return 1;
}

/* ---- order ---- */

struct line_reader {
    int fd;
    size_t length;
    char text[LINE_SIZE];
};

static int reach(const char *path, long long until_ms)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof(address.sun_path))
        return -1;
    strcpy(address.sun_path, path);
    do {
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
            return fd;
        if (fd >= 0)
            close(fd);
        poll(NULL, 0, 10);
    } while (now_ms() < until_ms);
    return -1;
}

/* True: a whole line is in reader->text, without its end. False: the time is over, or the guest's end is closed. */
static bool next_line(struct line_reader *r, long long until_ms)
{
    r->length = 0;
    for (;;) {
        struct pollfd p = {.fd = r->fd, .events = POLLIN};
        long long left_ms = until_ms - now_ms();
        if (left_ms <= 0 || poll(&p, 1, (int)left_ms) <= 0)
            return false;
        char c;
        if (read(r->fd, &c, 1) != 1)
            return false;
        if (c == '\n')
            break;
        if (r->length < LINE_SIZE - 1)
            r->text[r->length++] = c;
    }
    r->text[r->length] = 0;
    return true;
}

static bool say(int fd, const char *text)
{
    return send(fd, text, strlen(text), MSG_NOSIGNAL) == (ssize_t)strlen(text);
}

/* Ping until the guest answers to that: what it said before then was for others, or it was still starting. */
static bool meet(struct line_reader *r, long long until_ms)
{
    char ping[64], pong[64];
    int nonce = (int)getpid();
    snprintf(ping, sizeof(ping), "\nping %d\n", nonce);
    snprintf(pong, sizeof(pong), "pong %d", nonce);
    while (now_ms() < until_ms && say(r->fd, ping)) {
        long long again_ms = now_ms() + PING_EVERY_MS;
        while (next_line(r, again_ms < until_ms ? again_ms : until_ms))
            if (strcmp(r->text, pong) == 0)
                return true;
    }
    return false;
}

static enum outcome tell(struct line_reader *r, const char *order, long long until_ms)
{
    char line[LINE_SIZE];
    bool ping = strncmp(order, "ping", 4) == 0;
    snprintf(line, sizeof(line), "%s\n", order);
    if (!meet(r, until_ms))
        return NO_ANSWER;
    if (ping)
        return ANSWERED;
    if (!say(r->fd, line))
        return NO_ANSWER;
    do
        if (!next_line(r, until_ms) || strcmp(r->text, "ready") == 0)
            return NO_ANSWER;
    while (strncmp(r->text, "pong", 4) == 0);
    return strncmp(r->text, "ok", 2) == 0 ? ANSWERED : REFUSED;
}

static int order(const char *path, const char *seconds, const char *text)
{
    long long until_ms = now_ms() + atoll(seconds) * 1000;
    struct line_reader r = {.fd = reach(path, until_ms)};
    enum outcome outcome = r.fd < 0 ? NO_ANSWER : tell(&r, text, until_ms);
    if (outcome == ANSWERED && strncmp(r.text, "ok ", 3) == 0)
        printf("%s\n", r.text + 3);
    if (outcome == REFUSED)
        fprintf(stderr, "%s\n", r.text);
    if (outcome == NO_ANSWER)
        fprintf(stderr, "no answer to: %s\n", text);
    return (int)outcome;
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "keep") == 0)
        return keep(argv[2]);
    if (argc == 5 && strcmp(argv[1], "order") == 0)
        return order(argv[2], argv[3], argv[4]);
    fprintf(stderr, "usage: host_tool keep FOLDER | order SOCKET SECONDS ORDER\n");
    return 2;
}
