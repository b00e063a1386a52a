#include "inspector_ask.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#include "inspector_connection.h"
#include "inspector_stats.h"
#include "pluvio/model/meter.h"

#define BUSY_TURNS 3
#define BUSY_NS    (20 * NS_PER_MS) /* between them, but the first comes at once */

static void free_domains(virDomainPtr *domains, size_t count)
{
    for (size_t i = 0; i < count; i++)
        virDomainFree(domains[i]);
}

/* The domains of one listing, sorted into those to be asked in full and those that hang. */
struct listing {
    virDomainPtr *all; /* from libvirt, each to be freed */
    size_t count;
    virDomainPtr *fine, *hung; /* borrowed, NULL at the end */
    size_t fine_count, hung_count;
};

static void listing_finish(struct listing *l)
{
    free_domains(l->all, l->count);
    free(l->all);
    free(l->fine);
    free(l->hung);
}

static int by_uuid(const void *a, const void *b)
{
    return memcmp(a, b, UUID_SIZE);
}

static bool suspected(const struct stats_ask *a, virDomainPtr domain)
{
    char uuid[VIR_UUID_STRING_BUFLEN] = "";
    if (a->look)
        return true;
    return a->suspect_count && virDomainGetUUIDString(domain, uuid) == 0 &&
           bsearch(uuid, a->suspects, a->suspect_count, sizeof(a->suspects[0]), by_uuid);
}

/* A command to its monitor has been under way for long: whoever asks next waits behind it. */
static bool hangs(struct stats_ask *a, virDomainPtr domain)
{
    virDomainControlInfo info;
    a->calls++;
    return virDomainGetControlInfo(domain, &info, 0) == 0 && info.state == VIR_DOMAIN_CONTROL_OCCUPIED &&
           info.stateTime >= (unsigned long long)a->hung_ms;
}

static int list_domains(struct stats_ask *a, virConnectPtr handle, struct listing *l, struct error *error)
{
    int count = virConnectListAllDomains(handle, &l->all, 0);
    a->calls++;
    if (count < 0)
        return connection_error(error, -EIO, "list of domains");
    l->count = (size_t)count;
    l->fine = calloc(l->count + 1, sizeof(virDomainPtr));
    l->hung = calloc(l->count + 1, sizeof(virDomainPtr));
    if (!l->fine || !l->hung)
        return error_set(error, -ENOMEM, "out of memory");
    for (size_t i = 0; i < l->count; i++) {
        bool hung = virDomainGetID(l->all[i]) != (unsigned)-1 && suspected(a, l->all[i]) && hangs(a, l->all[i]);
        if (hung)
            l->hung[l->hung_count++] = l->all[i];
        else
            l->fine[l->fine_count++] = l->all[i];
    }
    return 0;
}

static struct domain_stats *more_domains(struct stats_ask *a, size_t more)
{
    struct domain_stats *grown = reallocarray(a->domains, a->count + more + 1, sizeof(*grown));
    if (!grown)
        return NULL;
    a->domains = grown;
    memset(grown + a->count, 0, (more + 1) * sizeof(*grown));
    return grown + a->count;
}

static int take_record(virDomainStatsRecordPtr record, int64_t wall_ns, int64_t boot_ns, struct domain_stats *d)
{
    d->read_wall_ns = wall_ns;
    d->read_boot_ns = boot_ns;
    return stats_read_record(record, d);
}

/* libvirt walks the domains in this order while the call lasts: each was read at its share of that time. */
static int take_records(struct stats_ask *a, virDomainStatsRecordPtr *records, size_t count, int64_t began_wall_ns,
                        int64_t began_boot_ns)
{
    int64_t lasted_ns = clock_boot_ns(a->clock) - began_boot_ns;
    struct domain_stats *d = more_domains(a, count);
    int r = d ? 0 : -ENOMEM;
    for (size_t i = 0; i < count && r == 0; i++, d++, a->count++) {
        int64_t share_ns = lasted_ns / (int64_t)count * (int64_t)(i + 1);
        r = take_record(records[i], began_wall_ns + share_ns, began_boot_ns + share_ns, d);
    }
    return r;
}

/* What a domain tells without its monitor. */
static void add_cpu(struct stats_ask *a, virDomainPtr domain, struct domain_stats *d)
{
    if (d->state != DOMAIN_SHUTOFF)
        d->field[DOMAIN_CPU_TIME] = stats_cpu(domain, &a->calls);
}

static bool is_busy(const struct stats_ask *a, const struct domain_stats *d)
{
    return d->answers && stats_partial(d, a->groups);
}

/* A domain that somebody else's call occupies gives part of the figures at once: say whether it hangs. */
static void examine_busy(struct stats_ask *a, virDomainPtr domain, struct domain_stats *d)
{
    if (!hangs(a, domain))
        return;
    d->answers = false;
    if (!d->field[DOMAIN_CPU_TIME].has)
        add_cpu(a, domain, d);
}

enum how { ASK_FULL, ASK_MONITORLESS, ASK_HUNG };

/* Returns how many are busy, and do not hang. */
static size_t complete(struct stats_ask *a, virDomainStatsRecordPtr *records, size_t first, enum how how)
{
    size_t busy = 0;
    for (size_t i = first; i < a->count; i++) {
        virDomainPtr domain = records[i - first]->dom;
        a->domains[i].answers = how != ASK_HUNG;
        if (how != ASK_FULL && a->domains[i].id >= 0)
            add_cpu(a, domain, &a->domains[i]);
        if (how == ASK_FULL && is_busy(a, &a->domains[i])) {
            examine_busy(a, domain, &a->domains[i]);
            busy += a->domains[i].answers;
        }
        a->hung += !a->domains[i].answers;
    }
    return busy;
}

/* One more answer of a domain, found from *@at on, takes the place of the one before: both lists are in one order. */
static int take_again(struct stats_ask *a, virDomainStatsRecordPtr record, size_t *at)
{
    struct domain_stats d = {0};
    int r = take_record(record, clock_wall_ns(a->clock), clock_boot_ns(a->clock), &d);
    while (r == 0 && *at < a->count && strcmp(a->domains[*at].uuid, d.uuid) != 0)
        (*at)++;
    if (r < 0 || *at == a->count) {
        domain_stats_finish(&d);
        return r;
    }
    domain_stats_finish(&a->domains[*at]);
    a->domains[(*at)++] = d;
    return 0;
}

/* Whose monitor was busy with another client's question when the call passed, NULL at the end of @busy. */
static size_t find_busy(const struct stats_ask *a, virDomainStatsRecordPtr *records, size_t first, virDomainPtr *busy)
{
    size_t count = 0;
    for (size_t i = first; i < a->count; i++)
        if (is_busy(a, &a->domains[i]))
            busy[count++] = records[i - first]->dom;
    busy[count] = NULL;
    return count;
}

/* Such a question takes milliseconds: the @count of them are asked again, so that two clients do not cost each other
 * samples. */
static int ask_again(struct stats_ask *a, virDomainStatsRecordPtr *records, size_t first, size_t count)
{
    int r = 0;
    virDomainPtr *busy = calloc(count + 1, sizeof(*busy));
    if (!busy)
        return -ENOMEM;
    for (unsigned turn = 0; turn < BUSY_TURNS && r == 0 && find_busy(a, records, first, busy); turn++) {
        virDomainStatsRecordPtr *again = NULL;
        size_t at = first;
        if (turn > 0)
            nanosleep(&(struct timespec){.tv_nsec = BUSY_NS}, NULL);
        int told = virDomainListGetStats(busy, stats_mask(a->groups), &again, VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT);
        a->calls++;
        for (int i = 0; i < told && r == 0; i++)
            r = take_again(a, again[i], &at);
        virDomainStatsRecordListFree(again);
    }
    free(busy);
    return r;
}

static int statistics(struct stats_ask *a, virConnectPtr handle, virDomainPtr *some, enum how how, struct error *error)
{
    virDomainStatsRecordPtr *records = NULL;
    size_t first = a->count;
    unsigned mask = how == ASK_FULL ? stats_mask(a->groups) : stats_mask_monitorless(a->groups);
    int64_t wall_ns = clock_wall_ns(a->clock), boot_ns = clock_boot_ns(a->clock);
    int count = some ? virDomainListGetStats(some, mask, &records, VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT)
                     : virConnectGetAllDomainStats(handle, mask, &records, VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT);
    a->calls++;
    if (count < 0)
        return connection_error(error, virGetLastErrorCode() == VIR_ERR_NO_SUPPORT ? -ENOTSUP : -EIO, "statistics");
    int r = take_records(a, records, (size_t)count, wall_ns, boot_ns);
    size_t busy = r == 0 ? complete(a, records, first, how) : 0;
    if (busy)
        r = ask_again(a, records, first, busy);
    if (r < 0)
        error_set(error, r, "out of memory");
    virDomainStatsRecordListFree(records);
    return r;
}

/* For drivers without the bulk call: who is there, and in which state. */
static int states_only(struct stats_ask *a, const struct listing *l, struct error *error)
{
    struct domain_stats *d = more_domains(a, l->count);
    if (!d)
        return error_set(error, -ENOMEM, "out of memory");
    for (size_t i = 0; i < l->count; i++, d++, a->count++) {
        int state = 0;
        d->read_wall_ns = clock_wall_ns(a->clock);
        d->read_boot_ns = clock_boot_ns(a->clock);
        a->calls++;
        if (virDomainGetState(l->all[i], &state, &d->reason, 0) == 0 && state >= 0 && state < DOMAIN_STATES)
            d->state = (enum domain_state)state;
        if (stats_identify(l->all[i], d) < 0) {
            a->count++;
            return error_set(error, -ENOMEM, "out of memory");
        }
    }
    return 0;
}

static int ask_listed(struct stats_ask *a, virConnectPtr handle, const struct listing *l, struct error *error)
{
    int r = 0;
    a->none_hung = a->look && a->monitors == MONITORS_ASKED && l->hung_count == 0;
    if (a->none_hung)
        return 0;
    if (l->fine_count)
        r = statistics(a, handle, l->fine, a->monitors == MONITORS_ASKED ? ASK_FULL : ASK_MONITORLESS, error);
    if (r == -ENOTSUP)
        return states_only(a, l, error);
    if (r == 0 && l->hung_count)
        r = statistics(a, handle, l->hung, ASK_HUNG, error);
    return r;
}

static void stats_reset(struct stats_ask *a)
{
    domain_stats_free(a->domains, a->count);
    a->domains = NULL;
    a->count = 0;
    a->calls = a->hung = 0;
}

static int stats_run(struct ask *ask, struct connection *connection, struct error *error)
{
    struct stats_ask *a = (struct stats_ask *)ask;
    virConnectPtr handle = connection_handle(connection);
    int r = -ENOTSUP;
    stats_reset(a);
    a->connection = connection_serial(connection);
    a->list_wall_ns = clock_wall_ns(a->clock);
    a->list_boot_ns = clock_boot_ns(a->clock);
    if (!a->look && a->monitors == MONITORS_ASKED && a->suspect_count == 0)
        r = statistics(a, handle, NULL, ASK_FULL, error);
    if (r == -ENOTSUP) {
        struct listing l = {0};
        r = list_domains(a, handle, &l, error);
        if (r == 0)
            r = ask_listed(a, handle, &l, error);
        listing_finish(&l);
    }
    return r;
}

static void stats_free(struct ask *ask)
{
    struct stats_ask *a = (struct stats_ask *)ask;
    domain_stats_free(a->domains, a->count);
    free(a->suspects);
    free(a);
}

struct stats_ask *stats_ask_new(void)
{
    struct stats_ask *a = calloc(1, sizeof(*a));
    if (a)
        a->ask = (struct ask){.run = stats_run, .free = stats_free};
    return a;
}

static int xml_run(struct ask *ask, struct connection *connection, struct error *error)
{
    struct xml_ask *a = (struct xml_ask *)ask;
    for (size_t i = 0; i < a->count; i++) {
        free(a->documents[i]);
        a->documents[i] = NULL;
        virDomainPtr domain = virDomainLookupByUUIDString(connection_handle(connection), a->uuids[i]);
        if (!domain && !connection_alive(connection))
            return connection_error(error, -EIO, "XML of a domain");
        if (!domain)
            continue;
        a->documents[i] = virDomainGetXMLDesc(domain, 0);
        virDomainFree(domain);
    }
    return 0;
}

static void xml_ask_free(struct ask *ask)
{
    struct xml_ask *a = (struct xml_ask *)ask;
    for (size_t i = 0; a->documents && i < a->count; i++)
        free(a->documents[i]);
    free(a->documents);
    free(a->uuids);
    free(a);
}

struct xml_ask *xml_ask_new(size_t count)
{
    struct xml_ask *a = calloc(1, sizeof(*a));
    if (!a)
        return NULL;
    a->ask = (struct ask){.run = xml_run, .free = xml_ask_free};
    a->count = count;
    a->uuids = calloc(count, sizeof(a->uuids[0]));
    a->documents = calloc(count, sizeof(a->documents[0]));
    if (a->uuids && a->documents)
        return a;
    xml_ask_free(&a->ask);
    return NULL;
}

static int identity_run(struct ask *ask, struct connection *connection, struct error *error)
{
    struct identity_ask *a = (struct identity_ask *)ask;
    free(a->host_name);
    a->host_name = NULL;
    return connection_host(connection, &a->host_name, a->host_uuid, &a->qemu, error);
}

static void identity_free(struct ask *ask)
{
    struct identity_ask *a = (struct identity_ask *)ask;
    free(a->host_name);
    free(a);
}

struct identity_ask *identity_ask_new(void)
{
    struct identity_ask *a = calloc(1, sizeof(*a));
    if (a)
        a->ask = (struct ask){.run = identity_run, .free = identity_free};
    return a;
}
