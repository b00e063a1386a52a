#include "support/host/host.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "support/run.h"

#define COMMAND_SIZE 2048
#define SCRIPT       "timeout -k 5 120 " HOST_SCRIPT

static int exit_of(int status)
{
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* The script's @verb for this host. */
static int run(const struct host *h, const char *verb, const char *arguments)
{
    char command[COMMAND_SIZE];
    int n = snprintf(command, sizeof(command), SCRIPT " %s %s %s </dev/null", verb, h->folder, arguments);
    return n < (int)sizeof(command) ? exit_of(system(command)) : -1;
}

/* The same, and the first @size - 1 bytes of what it prints. */
static int read_from(const struct host *h, const char *verb, const char *arguments, char *out, size_t size)
{
    char command[COMMAND_SIZE], rest[256];
    int n = snprintf(command, sizeof(command), SCRIPT " %s %s %s </dev/null", verb, h->folder, arguments);
    FILE *pipe = n < (int)sizeof(command) ? popen(command, "r") : NULL;
    if (!pipe)
        return -1;
    out[fread(out, 1, size - 1, pipe)] = 0;
    while (fread(rest, 1, sizeof(rest), pipe) > 0)
        ;
    return exit_of(pclose(pipe));
}

void host_up(struct host *h, const char *options)
{
    setenv("GUEST_KERNEL", GUEST_KERNEL, 1);
    folder_make(h->folder);
    snprintf(h->uri, sizeof(h->uri), "qemu:///system?socket=%s/run/libvirt-sock", h->folder);
    int r = run(h, "up", options);
    if (r == 0)
        return;
    host_down(h);
    if (r == 77)
        test_skip("a libvirtd of the test's own cannot run here: see the line above");
    exit(1);
}

void host_down(struct host *h)
{
    if (run(h, "down", "") == 0)
        folder_remove(h->folder);
}

int host_guest(const struct host *h, const char *name, const char *uuid, const char *options)
{
    char arguments[COMMAND_SIZE];
    snprintf(arguments, sizeof(arguments), "%s %s %s", name, uuid, options);
    return run(h, "guest", arguments);
}

int host_ask(const struct host *h, const char *name, const char *order, char *out, size_t size)
{
    char arguments[COMMAND_SIZE];
    snprintf(arguments, sizeof(arguments), "%s '%s'", name, order);
    int r = read_from(h, "order", arguments, out, size);
    out[strcspn(out, "\n")] = 0;
    return r;
}

int host_order(const struct host *h, const char *name, const char *order)
{
    char answer[256];
    return host_ask(h, name, order, answer, sizeof(answer));
}

int host_virsh(const struct host *h, const char *format, ...)
{
    char arguments[COMMAND_SIZE];
    va_list list;
    va_start(list, format);
    int n = vsnprintf(arguments, sizeof(arguments) - 16, format, list);
    va_end(list);
    if (n < 0 || n >= (int)sizeof(arguments) - 16)
        return -1;
    strcat(arguments, " >/dev/null");
    return run(h, "virsh", arguments);
}

bool host_stat(const struct host *h, const char *name, const char *key, uint64_t *ret)
{
    char arguments[256], figures[16384], line[256];
    snprintf(arguments, sizeof(arguments), "domstats %s", name);
    snprintf(line, sizeof(line), "\n  %s=", key);
    if (read_from(h, "virsh", arguments, figures, sizeof(figures)) != 0)
        return false;
    const char *at = strstr(figures, line);
    if (!at)
        return false;
    char *end;
    errno = 0;
    *ret = strtoull(at + strlen(line), &end, 10);
    return errno == 0 && *end == '\n';
}

pid_t host_pid(const struct host *h, const char *name)
{
    char text[32];
    return read_from(h, "pid", name, text, sizeof(text)) == 0 ? atoi(text) : 0;
}

int host_restart(const struct host *h)
{
    return run(h, "restart", "");
}

int host_stop_daemon(const struct host *h)
{
    return run(h, "stop-daemon", "");
}

int host_start_daemon(const struct host *h)
{
    return run(h, "start-daemon", "");
}

int host_migrate(const struct host *h, const char *name, const struct host *to)
{
    char arguments[COMMAND_SIZE];
    snprintf(arguments, sizeof(arguments), "%s %s", name, to->folder);
    return run(h, "migrate", arguments);
}
