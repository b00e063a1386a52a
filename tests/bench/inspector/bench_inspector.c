/* What an inspection costs its own process, beside libvirt's bulk call alone.
 *
 *   bench_inspector URI [CYCLES]
 *
 * Prints CPU time of this process per VM and cycle, and wall time per cycle, for both. Nothing is asserted: figures
 * are compared by people, on one machine.
 */
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include <libvirt/libvirt.h>

#include "pluvio/base/clock.h"
#include "pluvio/model/meter.h"
#include "pollers/inspector_libvirt.h"
#include "pollers/inspector_stats.h"

#define GROUPS                                                                                                         \
    (GROUP_STATE | GROUP_CPU | GROUP_VCPU | GROUP_BALLOON | GROUP_BLOCK | GROUP_INTERFACE | GROUP_XML | GROUP_HOST)

struct cost {
    int64_t cpu_ns, wall_ns;
    size_t domains; /* summed over the cycles */
};

static void print_cost(const char *what, const struct cost *c, int cycles)
{
    printf("%-12s %7.1f us CPU per VM and cycle, %8.2f ms a cycle, %zu VMs\n", what,
           c->domains ? (double)c->cpu_ns / 1e3 / (double)c->domains : 0.0, (double)c->wall_ns / 1e6 / cycles,
           c->domains / (size_t)cycles);
}

static int bare_cycles(const char *uri, int cycles, struct cost *ret)
{
    virConnectPtr handle = virConnectOpenReadOnly(uri);
    if (!handle)
        return -1;
    int64_t cpu_ns = clock_cpu_ns(), wall_ns = clock_boot_ns(clock_system());
    for (int i = 0; i < cycles; i++) {
        virDomainStatsRecordPtr *records = NULL;
        int count =
            virConnectGetAllDomainStats(handle, stats_mask(GROUPS), &records, VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT);
        ret->domains += count > 0 ? (size_t)count : 0;
        if (count >= 0)
            virDomainStatsRecordListFree(records);
    }
    ret->cpu_ns = clock_cpu_ns() - cpu_ns;
    ret->wall_ns = clock_boot_ns(clock_system()) - wall_ns;
    virConnectClose(handle);
    return 0;
}

static int one_cycle(struct inspector *in, size_t *domains, struct error *error)
{
    struct snapshot *s = NULL;
    struct lifecycle_event event;
    int r = in->begin(in, GROUPS, clock_boot_ns(clock_system()) + 30 * NS_PER_S);
    while (r == 0 && (r = in->result(in, &s, error)) == 0) {
        struct pollfd p = {.fd = in->wake_fd(in), .events = POLLIN};
        (void)poll(&p, 1, 1000);
    }
    while (in->event(in, &event) == 1)
        ;
    *domains += s ? s->count : 0;
    snapshot_free(s);
    return r < 0 ? r : 0;
}

/* The first cycles, which fetch all metadata, are told apart. */
static int our_cycles(const char *uri, int cycles, struct cost *ret_first, struct cost *ret, struct error *error)
{
    struct inspector *in = NULL;
    struct inspector_libvirt_settings settings = {.uri = uri};
    if (inspector_libvirt_open(&in, &settings, error) < 0)
        return -1;
    int64_t cpu_ns = clock_cpu_ns(), wall_ns = clock_boot_ns(clock_system());
    int r = one_cycle(in, &ret_first->domains, error);
    ret_first->cpu_ns = clock_cpu_ns() - cpu_ns;
    ret_first->wall_ns = clock_boot_ns(clock_system()) - wall_ns;
    cpu_ns = clock_cpu_ns();
    wall_ns = clock_boot_ns(clock_system());
    for (int i = 0; i < cycles && r == 0; i++)
        r = one_cycle(in, &ret->domains, error);
    ret->cpu_ns = clock_cpu_ns() - cpu_ns;
    ret->wall_ns = clock_boot_ns(clock_system()) - wall_ns;
    in->destroy(in);
    return r;
}

int main(int count, char **arguments)
{
    struct cost bare = {0}, first = {0}, ours = {0};
    struct error error = {.text = "libvirt cannot be reached"};
    int cycles = count > 2 ? atoi(arguments[2]) : 100;
    if (count < 2 || cycles <= 0) {
        fprintf(stderr, "usage: bench_inspector URI [CYCLES]\n");
        return 2;
    }
    if (our_cycles(arguments[1], cycles, &first, &ours, &error) < 0 || bare_cycles(arguments[1], cycles, &bare) < 0) {
        fprintf(stderr, "%s\n", error.text);
        return 1;
    }
    print_cost("bulk call", &bare, cycles);
    print_cost("inspector", &ours, cycles);
    print_cost("first cycle", &first, 1);
    return 0;
}
