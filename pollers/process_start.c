#include "process_start.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "pluvio/base/buf.h"

/* QEMU's arguments for a VM with some hundred devices stay below this; "-uuid" stands among the first. */
#define ARGUMENTS_MAX 32768
#define STAT_MAX      1024
#define START_FIELD   22

/* The file's beginning as a string; its length, or -1. */
static ssize_t read_some(const char *path, char *out, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    size_t len = 0;
    ssize_t got;
    while (len < size - 1 && (got = read(fd, out + len, size - 1 - len)) > 0)
        len += (size_t)got;
    close(fd);
    out[len] = '\0';
    return (ssize_t)len;
}

/* The program's name in field 2 may hold blanks and parentheses: count from behind the last one. */
int64_t process_start_of(const char *proc, int pid)
{
    char path[PATH_MAX], line[STAT_MAX];
    if (snprintf(path, sizeof(path), "%s/%d/stat", proc, pid) >= (int)sizeof(path) ||
        read_some(path, line, sizeof(line)) <= 0)
        return 0;
    const char *at = strrchr(line, ')');
    for (int field = 2; at && field < START_FIELD; field++)
        at = strchr(at + 1, ' ');
    if (!at)
        return 0;
    int64_t start;
    struct text digits = {at + 1, strcspn(at + 1, " \n")};
    return text_to_i64(digits, &start) && start > 0 ? start : 0;
}

static const char *argument_behind(const char *option, const char *arguments, size_t len)
{
    const char *end = arguments + len;
    bool next = false;
    for (const char *at = arguments; at < end; at += strlen(at) + 1) {
        if (next)
            return at;
        next = strcmp(at, option) == 0;
    }
    return NULL;
}

static ssize_t read_arguments(const char *proc, const char *pid, char out[ARGUMENTS_MAX])
{
    char path[PATH_MAX];
    if (snprintf(path, sizeof(path), "%s/%s/cmdline", proc, pid) >= (int)sizeof(path))
        return -1;
    return read_some(path, out, ARGUMENTS_MAX);
}

static bool domain_of(const char *proc, const char *pid, char out[UUID_SIZE])
{
    char arguments[ARGUMENTS_MAX];
    ssize_t len = read_arguments(proc, pid, arguments);
    const char *uuid = len > 0 ? argument_behind("-uuid", arguments, (size_t)len) : NULL;
    if (!uuid || strlen(uuid) != UUID_SIZE - 1)
        return false;
    memcpy(out, uuid, UUID_SIZE);
    return true;
}

bool process_runs_domain(const char *proc, int pid, const char *uuid)
{
    char number[16], runs[UUID_SIZE];
    snprintf(number, sizeof(number), "%d", pid);
    return domain_of(proc, number, runs) && strcmp(runs, uuid) == 0;
}

bool process_runs_container(const char *proc, int pid, const char *name)
{
    char number[16], arguments[ARGUMENTS_MAX];
    snprintf(number, sizeof(number), "%d", pid);
    ssize_t len = read_arguments(proc, number, arguments);
    if (len <= 0)
        return false;
    const char *slash = strrchr(arguments, '/'), *runs = argument_behind("--name", arguments, (size_t)len);
    return strcmp(slash ? slash + 1 : arguments, "libvirt_lxc") == 0 && runs && strcmp(runs, name) == 0;
}

static int pid_of(struct text digits)
{
    int64_t pid;
    return text_to_i64(digits, &pid) && pid > 0 && pid <= INT_MAX ? (int)pid : 0;
}

int process_of_file(const char *folder, const char *name)
{
    char path[PATH_MAX], line[32];
    if (strchr(name, '/') || snprintf(path, sizeof(path), "%s/%s.pid", folder, name) >= (int)sizeof(path) ||
        read_some(path, line, sizeof(line)) <= 0)
        return 0;
    return pid_of((struct text){line, strcspn(line, " \n")});
}

int process_scan(const char *proc, process_found *found, void *context)
{
    DIR *all = opendir(proc);
    if (!all)
        return -errno;
    const struct dirent *entry;
    while ((entry = readdir(all))) {
        char uuid[UUID_SIZE];
        int pid = pid_of(text_of(entry->d_name));
        if (pid && domain_of(proc, entry->d_name, uuid))
            found(context, uuid, pid);
    }
    closedir(all);
    return 0;
}
