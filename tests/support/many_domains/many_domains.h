/* Thousands of VMs without a guest: a library to be preloaded (LD_PRELOAD) into a program that asks libvirt's test
 * driver, which then answers as QEMU's driver would. Who is there and which XML they have is the test driver's
 * (test:///FOLDER/domains.xml); which statistics they have, how long calls take and who hangs stands in a file that the
 * test maps too and may change at any time: MANY_DOMAINS names it, many_domains.py writes it.
 *
 * The law: a counter of domain n reads weight * step[n] * (tick - since[n]), where the tick is one more with each bulk
 * call. So what must be billed is known, whichever calls came. Domain n is called vmN, five digits; its running id is
 * the test driver's, and another with each generation.
 *
 * A domain that hangs does as design.md measured of a stopped QEMU: who asks its monitor first waits until it goes on,
 * NOWAIT or not; who comes meanwhile gets its record without the monitor's groups, after 15 ms with NOWAIT and 30 s
 * without. virDomainGetControlInfo says that it is occupied.
 */
#ifndef TESTS_MANY_DOMAINS_H
#define TESTS_MANY_DOMAINS_H

#include <stdint.h>

#include <libvirt/libvirt.h>

#define PLAN_MAGIC  0x70616d64UL
#define PLAN_CYCLES 64
#define UUID_TEXT   40

/* Calls that would each be a message to libvirtd. */
enum plan_call {
    CALL_ALL_STATS, /* virConnectGetAllDomainStats */
    CALL_SOME_STATS,
    CALL_LIST,
    CALL_LOOKUP,
    CALL_XML,
    CALL_CPU,
    CALL_STATE,
    CALL_CONTROL,
    CALL_CAPABILITIES,
    CALL_HOST, /* virNodeGet... */
    PLAN_CALLS
};

/* One virConnectGetAllDomainStats. */
struct plan_cycle {
    int64_t wall_ns, boot_ns, lasted_ns; /* lasted 0: still under way */
    uint64_t tick, groups;
};

struct plan_domain {
    uint32_t state, reason, generation;
    uint32_t omitted; /* VIR_DOMAIN_STATS_* that are left out without a word */
    uint32_t hangs;
    uint32_t delay_us;    /* that its monitor takes */
    uint64_t since, step; /* ticks; see the law */
    int64_t occupied_ms;  /* CLOCK_MONOTONIC since when somebody waits for its monitor; 0: nobody */
};

/* The file: this, then count domains. Both sides read and write it with atomics or in single words. */
struct plan {
    uint64_t magic, count;
    uint64_t frozen; /* the tick stays */
    uint64_t tick;
    uint64_t calls[PLAN_CALLS];
    uint64_t groups_ever, flags_last;
    uint64_t cycles; /* ever; the newest is cycle[(cycles - 1) % PLAN_CYCLES] */
    struct plan_cycle cycle[PLAN_CYCLES];
    char host_uuid[UUID_TEXT];
    struct plan_domain domain[];
};

/* All parameters of domain @index in @groups at @tick; 0, or -1 when out of memory. The caller frees them. */
int record_fill(virTypedParameterPtr *params, int *count, const struct plan_domain *d, unsigned index, unsigned groups,
                uint64_t tick);
/* CPU time by the law, ns. */
uint64_t record_cpu_ns(const struct plan_domain *d, uint64_t tick);

#endif
