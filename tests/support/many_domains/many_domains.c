#include "many_domains.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define MONITOR_GROUPS                                                                                                 \
    (VIR_DOMAIN_STATS_CPU_TOTAL | VIR_DOMAIN_STATS_VCPU | VIR_DOMAIN_STATS_BALLOON | VIR_DOMAIN_STATS_BLOCK)
#define LOOK_AGAIN_US    2000
#define BEHIND_NOWAIT_MS 15
#define BEHIND_MS        30000
#define ID_GENERATIONS   100000
#define NAME_PREFIX      "vm"

static struct plan *plan;

static void die(const char *what, const char *name)
{
    fprintf(stderr, "many_domains: %s: %s\n", name, what);
    _exit(99);
}

__attribute__((constructor)) static void open_plan(void)
{
    const char *path = getenv("MANY_DOMAINS");
    struct stat s;
    int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    if (fd < 0 || fstat(fd, &s) < 0)
        die("MANY_DOMAINS names no plan", path ? path : "");
    plan = mmap(NULL, (size_t)s.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (plan == MAP_FAILED || plan->magic != PLAN_MAGIC ||
        (uint64_t)s.st_size < sizeof *plan + plan->count * sizeof plan->domain[0])
        die("is no plan", path);
}

static int64_t clock_ns(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static int64_t now_ms(void)
{
    return clock_ns(CLOCK_MONOTONIC) / 1000000;
}

/* libvirt's own function behind ours; void * to function pointers is POSIX', not ISO C's. */
static void own(void *function_pointer, const char *name)
{
    void *found = dlsym(RTLD_NEXT, name);
    if (!found)
        die("is not in libvirt", name);
    memcpy(function_pointer, &found, sizeof found);
}

static void note(enum plan_call call)
{
    __atomic_add_fetch(&plan->calls[call], 1, __ATOMIC_RELAXED);
}

static unsigned index_of(virDomainPtr domain)
{
    const char *name = virDomainGetName(domain);
    if (!name || strncmp(name, NAME_PREFIX, strlen(NAME_PREFIX)) != 0)
        die("is no domain of the plan", name ? name : "");
    unsigned long index = strtoul(name + strlen(NAME_PREFIX), NULL, 10);
    if (index >= plan->count)
        die("is not in the plan", name);
    return (unsigned)index;
}

static struct plan_domain *planned(virDomainPtr domain)
{
    return &plan->domain[index_of(domain)];
}

/* ---- monitors ---- */

static bool hangs(const struct plan_domain *d)
{
    return __atomic_load_n(&d->hangs, __ATOMIC_ACQUIRE) != 0;
}

/* Who comes first waits as long as it takes; the others in their turn, and in vain. True: the monitor answered. */
static bool ask_monitor(struct plan_domain *d, bool nowait)
{
    int64_t nobody = 0, since = now_ms();
    if (d->delay_us)
        usleep(d->delay_us);
    if (!hangs(d))
        return true;
    if (__atomic_compare_exchange_n(&d->occupied_ms, &nobody, since, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
        while (hangs(d))
            usleep(LOOK_AGAIN_US);
        __atomic_store_n(&d->occupied_ms, 0, __ATOMIC_RELEASE);
        return true;
    }
    while (hangs(d) && now_ms() - since < (nowait ? BEHIND_NOWAIT_MS : BEHIND_MS))
        usleep(LOOK_AGAIN_US);
    return !hangs(d);
}

/* ---- the bulk calls ---- */

static virDomainStatsRecordPtr record_of(virDomainPtr domain, unsigned groups, bool nowait, uint64_t tick)
{
    virDomainStatsRecordPtr r = calloc(1, sizeof *r);
    struct plan_domain *d = planned(domain);
    bool monitor = (groups & MONITOR_GROUPS) && d->state != VIR_DOMAIN_SHUTOFF;
    if (monitor && !ask_monitor(d, nowait))
        groups &= ~(unsigned)MONITOR_GROUPS;
    if (!r || virDomainRef(domain) < 0)
        die("out of memory", "record");
    r->dom = domain;
    if (record_fill(&r->params, &r->nparams, d, index_of(domain), groups, tick))
        die("out of memory", "record");
    return r;
}

/* What virDomainStatsRecordListFree takes: glib's memory is malloc's. */
static int records_of(virDomainPtr *domains, size_t count, unsigned groups, unsigned flags, uint64_t tick,
                      virDomainStatsRecordPtr **ret)
{
    virDomainStatsRecordPtr *records = calloc(count + 1, sizeof(virDomainStatsRecordPtr));
    if (!records)
        die("out of memory", "records");
    if (groups == 0)
        groups = ~0U;
    __atomic_or_fetch(&plan->groups_ever, groups, __ATOMIC_RELAXED);
    plan->flags_last = flags;
    for (size_t i = 0; i < count; i++)
        records[i] = record_of(domains[i], groups, flags & VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT, tick);
    *ret = records;
    return (int)count;
}

static int list_all(virConnectPtr connection, virDomainPtr **ret)
{
    int (*list)(virConnectPtr, virDomainPtr **, unsigned);
    own(&list, "virConnectListAllDomains");
    return list(connection, ret, 0);
}

int virConnectGetAllDomainStats(virConnectPtr connection, unsigned groups, virDomainStatsRecordPtr **ret,
                                unsigned flags)
{
    virDomainPtr *domains = NULL;
    uint64_t tick = plan->frozen ? plan->tick : __atomic_add_fetch(&plan->tick, 1, __ATOMIC_ACQ_REL);
    uint64_t cycle = __atomic_add_fetch(&plan->cycles, 1, __ATOMIC_ACQ_REL) - 1;
    struct plan_cycle *c = &plan->cycle[cycle % PLAN_CYCLES];
    note(CALL_ALL_STATS);
    *c = (struct plan_cycle){clock_ns(CLOCK_REALTIME), clock_ns(CLOCK_BOOTTIME), 0, tick, groups};
    int count = list_all(connection, &domains);
    if (count < 0)
        return -1;
    records_of(domains, (size_t)count, groups, flags, tick, ret);
    for (int i = 0; i < count; i++)
        virDomainFree(domains[i]);
    free(domains);
    c->lasted_ns = clock_ns(CLOCK_BOOTTIME) - c->boot_ns;
    return count;
}

int virDomainListGetStats(virDomainPtr *domains, unsigned groups, virDomainStatsRecordPtr **ret, unsigned flags)
{
    size_t count = 0;
    note(CALL_SOME_STATS);
    while (domains[count])
        count++;
    return records_of(domains, count, groups, flags, plan->tick, ret);
}

/* ---- what QEMU's driver says otherwise ---- */

/* The test driver reads its file for each connection, and has the domains once more: here they share one. */
virConnectPtr virConnectOpenReadOnly(const char *uri)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static virConnectPtr shared;
    virConnectPtr (*open_one)(const char *);
    own(&open_one, "virConnectOpenReadOnly");
    pthread_mutex_lock(&lock);
    if (!shared)
        shared = open_one(uri);
    if (shared)
        virConnectRef(shared); /* one more than callers: it stays */
    pthread_mutex_unlock(&lock);
    return shared;
}

const char *virConnectGetType(virConnectPtr connection)
{
    (void)connection;
    return "QEMU";
}

char *virConnectGetCapabilities(virConnectPtr connection)
{
    char text[128];
    (void)connection;
    note(CALL_CAPABILITIES);
    snprintf(text, sizeof text, "<capabilities><host><uuid>%s</uuid></host></capabilities>", plan->host_uuid);
    return strdup(text);
}

unsigned virDomainGetID(virDomainPtr domain)
{
    unsigned (*get)(virDomainPtr);
    own(&get, "virDomainGetID");
    const struct plan_domain *d = planned(domain);
    unsigned id = get(domain);
    return d->state == VIR_DOMAIN_SHUTOFF || id == (unsigned)-1 ? (unsigned)-1 : id + d->generation * ID_GENERATIONS;
}

/* The total alone, as where libvirt keeps cgroups. */
int virDomainGetCPUStats(virDomainPtr domain, virTypedParameterPtr params, unsigned count, int first, unsigned cpus,
                         unsigned flags)
{
    (void)cpus;
    (void)flags;
    if (count == 0 || first != -1)
        return -1;
    note(CALL_CPU);
    params[0] = (virTypedParameter){.field = VIR_DOMAIN_CPU_STATS_CPUTIME, .type = VIR_TYPED_PARAM_ULLONG};
    params[0].value.ul = record_cpu_ns(planned(domain), plan->tick);
    return 1;
}

int virDomainGetState(virDomainPtr domain, int *state, int *reason, unsigned flags)
{
    const struct plan_domain *d = planned(domain);
    (void)flags;
    note(CALL_STATE);
    *state = (int)d->state;
    if (reason)
        *reason = (int)d->reason;
    return 0;
}

int virDomainGetControlInfo(virDomainPtr domain, virDomainControlInfoPtr info, unsigned flags)
{
    int64_t since = __atomic_load_n(&planned(domain)->occupied_ms, __ATOMIC_ACQUIRE);
    (void)flags;
    note(CALL_CONTROL);
    *info = (virDomainControlInfo){.state = since ? VIR_DOMAIN_CONTROL_OCCUPIED : VIR_DOMAIN_CONTROL_OK,
                                   .stateTime = since ? (unsigned long long)(now_ms() - since) : 0};
    return 0;
}

/* ---- what is only counted ---- */

int virConnectListAllDomains(virConnectPtr connection, virDomainPtr **ret, unsigned flags)
{
    int (*list)(virConnectPtr, virDomainPtr **, unsigned);
    own(&list, "virConnectListAllDomains");
    note(CALL_LIST);
    return list(connection, ret, flags);
}

virDomainPtr virDomainLookupByUUIDString(virConnectPtr connection, const char *uuid)
{
    virDomainPtr (*lookup)(virConnectPtr, const char *);
    own(&lookup, "virDomainLookupByUUIDString");
    note(CALL_LOOKUP);
    return lookup(connection, uuid);
}

char *virDomainGetXMLDesc(virDomainPtr domain, unsigned flags)
{
    char *(*describe)(virDomainPtr, unsigned);
    own(&describe, "virDomainGetXMLDesc");
    note(CALL_XML);
    return describe(domain, flags);
}

int virNodeGetInfo(virConnectPtr connection, virNodeInfoPtr info)
{
    int (*get)(virConnectPtr, virNodeInfoPtr);
    own(&get, "virNodeGetInfo");
    note(CALL_HOST);
    return get(connection, info);
}

int virNodeGetCPUStats(virConnectPtr connection, int cpu, virNodeCPUStatsPtr params, int *count, unsigned flags)
{
    int (*get)(virConnectPtr, int, virNodeCPUStatsPtr, int *, unsigned);
    own(&get, "virNodeGetCPUStats");
    note(CALL_HOST);
    return get(connection, cpu, params, count, flags);
}

int virNodeGetMemoryStats(virConnectPtr connection, int cell, virNodeMemoryStatsPtr params, int *count, unsigned flags)
{
    int (*get)(virConnectPtr, int, virNodeMemoryStatsPtr, int *, unsigned);
    own(&get, "virNodeGetMemoryStats");
    note(CALL_HOST);
    return get(connection, cell, params, count, flags);
}
