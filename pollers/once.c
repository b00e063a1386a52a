#include "once.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>

#include "explain.h"
#include "pluvio/base/table.h"

#define SLACK_NS (10 * NS_PER_S) /* a libvirtd that is just starting */

/* ---- cells ---- */

static void cell(struct table *t, const char *text)
{
    table_cell(t, text && *text ? text_of(text) : TEXT("-"));
}

static void number(struct table *t, struct reading r, uint64_t divisor)
{
    char out[32];
    snprintf(out, sizeof out, "%" PRIu64, r.value / divisor);
    cell(t, r.has ? out : NULL);
}

static void columns(struct table *t, const char *const *heads, size_t texts)
{
    for (size_t i = 0; heads[i]; i++)
        table_column(t, heads[i], i >= texts);
}

static int finish(struct table *t, FILE *out)
{
    int r = t->count ? table_print(t, out) : 0;
    if (t->count)
        fputc('\n', out);
    table_free(t);
    return r;
}

/* ---- tables ---- */

static int print_vms(const struct snapshot *s, const struct discovery *discovery, FILE *out)
{
    static const char *const heads[] = {"VM",    "UUID",       "STATE",  "PROJECT", "FLAVOR",
                                        "VCPUS", "MEMORY MiB", "CPU ms", NULL};
    struct table t = {0};
    columns(&t, heads, 5);
    for (size_t i = 0; i < s->count; i++) {
        const struct domain_stats *d = &s->domains[i];
        struct owner owner = {0};
        if (d->meta)
            discovery_owner(discovery, d, &owner);
        cell(&t, d->name);
        cell(&t, d->uuid);
        cell(&t, domain_state_name(d->state));
        cell(&t, owner.project);
        cell(&t, owner.flavor);
        number(&t, d->field[DOMAIN_VCPU_CURRENT], 1);
        number(&t, d->field[DOMAIN_BALLOON_CURRENT], 1024);
        number(&t, d->state == DOMAIN_SHUTOFF ? (struct reading){0} : d->field[DOMAIN_CPU_TIME], NS_PER_MS);
    }
    return finish(&t, out);
}

static int print_disks(const struct snapshot *s, FILE *out)
{
    static const char *const heads[] = {"VM", "DISK", "READ B", "READS", "WRITTEN B", "WRITES", "CAPACITY B", NULL};
    static const enum disk_field fields[] = {DISK_RD_BYTES, DISK_RD_REQS, DISK_WR_BYTES, DISK_WR_REQS, DISK_CAPACITY};
    struct table t = {0};
    columns(&t, heads, 2);
    for (size_t i = 0; i < s->count; i++) {
        for (size_t n = 0; n < s->domains[i].disk_count; n++) {
            const struct disk_stats *d = &s->domains[i].disks[n];
            cell(&t, s->domains[i].name);
            cell(&t, d->name);
            for (size_t f = 0; f < sizeof fields / sizeof fields[0]; f++)
                number(&t, d->field[fields[f]], 1);
        }
    }
    return finish(&t, out);
}

static int print_nets(const struct snapshot *s, FILE *out)
{
    static const char *const heads[] = {"VM", "INTERFACE", "IN B", "IN PACKETS", "OUT B", "OUT PACKETS", NULL};
    static const enum net_field fields[] = {NET_RX_BYTES, NET_RX_PKTS, NET_TX_BYTES, NET_TX_PKTS};
    struct table t = {0};
    columns(&t, heads, 2);
    for (size_t i = 0; i < s->count; i++) {
        for (size_t n = 0; n < s->domains[i].net_count; n++) {
            const struct net_stats *net = &s->domains[i].nets[n];
            cell(&t, s->domains[i].name);
            cell(&t, net->name);
            for (size_t f = 0; f < sizeof fields / sizeof fields[0]; f++)
                number(&t, net->field[fields[f]], 1);
        }
    }
    return finish(&t, out);
}

static int print(const struct snapshot *s, const struct discovery *discovery, FILE *out)
{
    fprintf(out, "Host %s (%s): %zu VMs, %u do not answer, %u calls\n\n", s->host_name ? s->host_name : "",
            s->host_uuid, s->count, s->hung, s->calls);
    int r = print_vms(s, discovery, out);
    if (r == 0)
        r = print_disks(s, out);
    return r ? r : print_nets(s, out);
}

static int await(struct inspector *inspector, int64_t until_ns, struct snapshot **ret, struct error *error)
{
    int r;
    while ((r = inspector->result(inspector, ret, error)) == 0) {
        struct pollfd p = {.fd = inspector->wake_fd(inspector), .events = POLLIN};
        if (clock_boot_ns(clock_system()) > until_ns)
            return error_set(error, -ETIMEDOUT, "libvirt does not answer: is libvirtd (or virtqemud) running?");
        poll(&p, 1, 200);
    }
    return r < 0 ? r : 0;
}

int once(struct inspector *inspector, const struct poller_choice *choice, bool explained, int64_t timeout_ns, FILE *out,
         struct error *error)
{
    unsigned groups = GROUP_STATE | GROUP_XML;
    int64_t until_ns = clock_boot_ns(clock_system()) + timeout_ns;
    struct snapshot *s = NULL;
    for (size_t m = 0; m < METERS; m++)
        groups |= choice->wanted[m] ? meter_at((enum meter_id)m)->group : 0;
    int r = inspector->begin(inspector, groups, until_ns);
    if (r)
        return error_set(error, r, "libvirt cannot be asked");
    r = await(inspector, until_ns + SLACK_NS, &s, error);
    if (r)
        return r;
    r = print(s, &choice->poller.discovery, out);
    if (r == 0 && explained)
        r = explain(s, choice, clock_wall_ns(clock_system()) / NS_PER_S, out);
    snapshot_free(s);
    return r ? error_set(error, r, "out of memory") : 0;
}
