#include "host_figures.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#define LINE_SIZE 512

static void take(struct reading ret[HOST_FIELDS], enum host_field field, uint64_t value)
{
    ret[field] = (struct reading){true, value};
}

static void take_ticks(struct reading ret[HOST_FIELDS], enum host_field field, uint64_t ticks)
{
    take(ret, field, ticks * TICK_NS);
}

/* The sum of all processors. What guests used is part of user and nice. */
static void take_cpu(struct reading ret[HOST_FIELDS], const char *line)
{
    uint64_t user, nice, system, idle, iowait, irq, softirq;
    if (sscanf(line, "cpu %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64, &user,
               &nice, &system, &idle, &iowait, &irq, &softirq) != 7)
        return;
    take_ticks(ret, HOST_CPU_USER, user + nice);
    take_ticks(ret, HOST_CPU_KERNEL, system + irq + softirq);
    take_ticks(ret, HOST_CPU_IDLE, idle);
    take_ticks(ret, HOST_CPU_IOWAIT, iowait);
}

/* A line of the sum, and then one of each processor that is online. */
static void read_stat(FILE *file, struct reading ret[HOST_FIELDS])
{
    char line[LINE_SIZE];
    uint64_t online = 0;
    while (fgets(line, sizeof line, file) && strncmp(line, "cpu", 3) == 0) {
        if (line[3] == ' ')
            take_cpu(ret, line);
        else
            online++;
    }
    if (online)
        take(ret, HOST_VCPUS, online);
}

static void read_meminfo(FILE *file, struct reading ret[HOST_FIELDS])
{
    char line[LINE_SIZE];
    uint64_t kib;
    while (fgets(line, sizeof line, file)) {
        if (sscanf(line, "MemTotal: %" SCNu64 " kB", &kib) == 1)
            take(ret, HOST_MEMORY_TOTAL, kib);
        else if (sscanf(line, "MemFree: %" SCNu64 " kB", &kib) == 1)
            take(ret, HOST_MEMORY_FREE, kib);
    }
}

void host_figures_read(const char *proc, struct reading ret[HOST_FIELDS])
{
    static const struct {
        const char *name;
        void (*read)(FILE *file, struct reading ret[HOST_FIELDS]);
    } files[] = {{"stat", read_stat}, {"meminfo", read_meminfo}};
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        char path[PATH_MAX];
        if (snprintf(path, sizeof path, "%s/%s", proc, files[i].name) >= (int)sizeof path)
            continue;
        FILE *file = fopen(path, "re");
        if (!file)
            continue;
        files[i].read(file, ret);
        fclose(file);
    }
}
