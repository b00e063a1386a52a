/* What reading a host costs, beside libvirt's bulk call alone: the inspector, and the whole poller with its outbox.
 *
 *   bench_inspector URI CYCLES [LIBVIRTD-PID]
 *
 * CPU time of this process, and of libvirtd where its process is named, per VM and cycle, as one JSON object. The
 * guests' own work to answer is in neither. A first cycle, which fetches all metadata, is told apart.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libvirt/libvirt.h>

#include "pluvio/base/clock.h"
#include "pluvio/model/meter.h"
#include "pollers/inspector_libvirt.h"
#include "pollers/inspector_stats.h"
#include "whole_poller.h"

#define GROUPS                                                                                                         \
    (GROUP_STATE | GROUP_CPU | GROUP_VCPU | GROUP_BALLOON | GROUP_BLOCK | GROUP_INTERFACE | GROUP_XML | GROUP_HOST)

#define ROUNDS 3 /* in turn; the best of each counts, as others use the machine too */

struct cost {
    int64_t cpu_ns, daemon_ns, wall_ns;
    size_t domains; /* summed over the cycles */
};

static long daemon_pid;

/* CPU time of libvirtd; 0 where it is not named. */
static int64_t daemon_cpu_ns(void)
{
    char path[64], line[1024];
    unsigned long user = 0, kernel = 0;
    if (!daemon_pid)
        return 0;
    snprintf(path, sizeof path, "/proc/%ld/stat", daemon_pid);
    FILE *f = fopen(path, "r");
    const char *behind_name = f && fgets(line, sizeof line, f) ? strrchr(line, ')') : NULL;
    if (f)
        fclose(f);
    if (behind_name)
        sscanf(behind_name + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &kernel);
    return (int64_t)(user + kernel) * (NS_PER_S / sysconf(_SC_CLK_TCK));
}

static struct cost begin_cost(void)
{
    return (struct cost){
        .cpu_ns = clock_cpu_ns(), .daemon_ns = daemon_cpu_ns(), .wall_ns = clock_boot_ns(clock_system())};
}

static void end_cost(struct cost *c)
{
    c->cpu_ns = clock_cpu_ns() - c->cpu_ns;
    c->daemon_ns = daemon_cpu_ns() - c->daemon_ns;
    c->wall_ns = clock_boot_ns(clock_system()) - c->wall_ns;
}

static struct cost bare_cycles(const char *uri, int cycles)
{
    virConnectPtr handle = virConnectOpenReadOnly(uri);
    if (!handle)
        exit(1);
    struct cost c = begin_cost();
    for (int i = 0; i < cycles; i++) {
        virDomainStatsRecordPtr *records = NULL;
        int count =
            virConnectGetAllDomainStats(handle, stats_mask(GROUPS), &records, VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT);
        c.domains += count > 0 ? (size_t)count : 0;
        if (count >= 0)
            virDomainStatsRecordListFree(records);
    }
    end_cost(&c);
    virConnectClose(handle);
    return c;
}

static struct inspector *open_inspector(const char *uri)
{
    struct inspector *in;
    struct error error;
    struct inspector_libvirt_settings settings = {.uri = uri};
    if (inspector_libvirt_open(&in, &settings, &error)) {
        fprintf(stderr, "%s\n", error.text);
        exit(1);
    }
    return in;
}

static size_t one_cycle(struct inspector *in)
{
    struct snapshot *s = NULL;
    struct lifecycle_event event;
    struct error error;
    int r = in->begin(in, GROUPS, clock_boot_ns(clock_system()) + 30 * NS_PER_S);
    while (r == 0 && (r = in->result(in, &s, &error)) == 0) {
        struct pollfd p = {.fd = in->wake_fd(in), .events = POLLIN};
        (void)poll(&p, 1, 1000);
    }
    while (in->event(in, &event) == 1)
        domain_stats_free(event.paused, event.paused ? 1 : 0);
    size_t count = s ? s->count : 0;
    snapshot_free(s);
    return count;
}

static struct cost inspector_cycles(const char *uri, int cycles, struct cost *ret_first)
{
    struct inspector *in = open_inspector(uri);
    *ret_first = begin_cost();
    ret_first->domains = one_cycle(in);
    end_cost(ret_first);
    struct cost c = begin_cost();
    for (int i = 0; i < cycles; i++)
        c.domains += one_cycle(in);
    end_cost(&c);
    in->destroy(in);
    return c;
}

static struct cost poller_cycles(const char *uri, int cycles)
{
    struct whole_poller *w = whole_poller_open(open_inspector(uri));
    for (int i = 0; i < 2; i++)
        whole_poller_cycle(w);
    struct cost c = begin_cost();
    for (int i = 0; i < cycles; i++)
        c.domains += whole_poller_cycle(w);
    end_cost(&c);
    whole_poller_close(w);
    return c;
}

static double per_vm(const struct cost *c)
{
    return c->domains ? (double)(c->cpu_ns + c->daemon_ns) / 1e3 / (double)c->domains : 0;
}

static void print_cost(const char *name, const struct cost *c, int cycles)
{
    printf("\"%s\":{\"own_us\":%.1f,\"daemon_us\":%.1f,\"us\":%.1f,\"cycle_ms\":%.2f},", name,
           c->domains ? (double)c->cpu_ns / 1e3 / (double)c->domains : 0,
           c->domains ? (double)c->daemon_ns / 1e3 / (double)c->domains : 0, per_vm(c),
           (double)c->wall_ns / 1e6 / cycles);
}

static void keep_best(struct cost *best, struct cost c)
{
    if (best->domains == 0 || per_vm(&c) < per_vm(best))
        *best = c;
}

int main(int argc, char **argv)
{
    int cycles = argc > 2 ? atoi(argv[2]) : 0;
    struct cost first;
    if (cycles <= 0) {
        fprintf(stderr, "usage: bench_inspector URI CYCLES [LIBVIRTD-PID]\n");
        return 2;
    }
    daemon_pid = argc > 3 ? atol(argv[3]) : 0;
    struct cost bare = {0}, inspector = {0}, poller = {0};
    for (int i = 0; i < ROUNDS; i++) {
        keep_best(&bare, bare_cycles(argv[1], cycles));
        keep_best(&inspector, inspector_cycles(argv[1], cycles, &first));
        keep_best(&poller, poller_cycles(argv[1], cycles));
    }
    printf("{\"bench\":\"poll\",\"vms\":%zu,\"daemon_counted\":%s,", bare.domains / (size_t)cycles,
           daemon_pid ? "true" : "false");
    print_cost("bulk", &bare, cycles);
    print_cost("inspector", &inspector, cycles);
    print_cost("poller", &poller, cycles);
    print_cost("first", &first, 1);
    printf("\"ratio_inspector\":%.3f,\"ratio_poller\":%.3f}\n", per_vm(&inspector) / per_vm(&bare),
           per_vm(&poller) / per_vm(&bare));
    return 0;
}
