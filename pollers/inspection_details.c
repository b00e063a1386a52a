#include "inspection_details.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "inspector_ask.h"
#include "inspector_single.h"
#include "pluvio/base/log.h"
#include "pluvio/model/meter.h"

/* Documents are fetched so many at a time, so that a host too large for one deadline gets on cycle by cycle. */
#define XML_CHUNK 256
#define XML_NS    (1 * NS_PER_S)

/* As seen from the poller's network namespace; a tap in another one has none. */
static struct reading tap_index(const char *name)
{
    char path[PATH_MAX], line[16];
    if (strchr(name, '/') || snprintf(path, sizeof(path), "/sys/class/net/%s/ifindex", name) >= (int)sizeof(path))
        return (struct reading){0};
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : read(fd, line, sizeof(line));
    if (fd >= 0)
        close(fd);
    uint64_t index;
    struct text digits = {line, got > 0 ? (size_t)got - (line[got - 1] == '\n') : 0};
    return text_to_u64(digits, &index) ? (struct reading){true, index} : (struct reading){0};
}

static int see_domains(struct inspection *in, struct snapshot *s)
{
    char uuid[UUID_SIZE];
    for (size_t i = 0; i < s->count; i++) {
        struct domain_stats *d = &s->domains[i];
        struct domain_entry *e = cache_see(&in->cache, d->uuid);
        if (!e)
            return -ENOMEM;
        e->hung = !d->answers;
        for (size_t n = 0; n < d->net_count; n++)
            d->nets[n].ifindex = tap_index(d->nets[n].name);
        if (!cache_taps_agree(e, d)) /* the next time they are, for sure, the new plug's */
            domain_stats_leave_out_nets(d);
    }
    while (feed_stale(in->feed, uuid))
        cache_mark_stale(&in->cache, uuid);
    return 0;
}

/* Up to XML_CHUNK domains from *@at on whose XML is wanted. */
static size_t wanted_from(const struct inspection *in, const struct snapshot *s, size_t *at, size_t *out)
{
    size_t count = 0;
    for (; *at < s->count && count < XML_CHUNK; (*at)++) {
        const struct domain_entry *e = cache_find(&in->cache, s->domains[*at].uuid);
        if (e && cache_wants_xml(e, &s->domains[*at], s->monitors))
            out[count++] = *at;
    }
    return count;
}

static int take_documents(struct inspection *in, struct snapshot *s, const struct xml_ask *a, const size_t *which)
{
    for (size_t i = 0; i < a->count; i++) {
        struct error error = {0};
        const struct domain_stats *d = &s->domains[which[i]];
        struct domain_entry *e = cache_find(&in->cache, d->uuid);
        if (!e || !a->documents[i])
            continue;
        int r = cache_set_xml(&in->cache, e, d, s->monitors, a->documents[i], &error);
        if (r == -ENOMEM)
            return r;
        if (r < 0)
            log_limited(&in->xml_limit, clock_boot_ns(in->clock), 60 * NS_PER_S, LOG_LEVEL_WARNING,
                        "domain %s: its XML is not understood, owner and devices are unknown: %s", d->name, error.text);
    }
    return 0;
}

static int read_chunk(struct inspection *in, struct snapshot *s, const size_t *which, size_t count,
                      int64_t deadline_boot_ns)
{
    struct error ignored; /* whatever it is, the statistics' call tells of it next time */
    struct xml_ask *a = xml_ask_new(count);
    if (!a)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++)
        memcpy(a->uuids[i], s->domains[which[i]].uuid, UUID_SIZE);
    int r = inspection_ask(in, &a->ask, deadline_boot_ns, &ignored);
    if (r < 0)
        return r;
    s->calls += 2 * (unsigned)count;
    r = take_documents(in, s, a, which);
    a->ask.free(&a->ask);
    return r;
}

static int read_metadata(struct inspection *in, struct snapshot *s, int64_t deadline_boot_ns)
{
    size_t which[XML_CHUNK], at = 0, count;
    int64_t until_ns = ns_max(deadline_boot_ns, clock_boot_ns(in->clock) + XML_NS);
    while ((count = wanted_from(in, s, &at, which))) {
        int r = read_chunk(in, s, which, count, until_ns);
        if (r < 0)
            return r == -ENOMEM ? r : 0;
    }
    return 0;
}

static int copy_name(char ***names, size_t *count, size_t max, const char *name)
{
    if (!*names && !(*names = calloc(max + 1, sizeof(**names))))
        return -ENOMEM;
    (*names)[*count] = strdup(name);
    return (*names)[(*count)++] ? 0 : -ENOMEM;
}

static int single_question(struct single_domain *out, const struct domain_stats *d, const struct domain_meta *meta,
                           unsigned groups)
{
    int r = 0;
    memcpy(out->uuid, d->uuid, UUID_SIZE);
    if (d->id < 0)
        return 0; /* its devices count nothing */
    for (size_t i = 0; meta && (groups & GROUP_BLOCK) && i < meta->disk_count && r == 0; i++)
        if (meta->disks[i].target)
            r = copy_name(&out->disks, &out->disk_count, meta->disk_count, meta->disks[i].target);
    for (size_t i = 0; meta && (groups & GROUP_INTERFACE) && i < meta->nic_count && r == 0; i++) {
        const struct domain_nic *nic = &meta->nics[i];
        if (nic->countable && (nic->target || nic->mac))
            r = copy_name(&out->nics, &out->nic_count, meta->nic_count, nic->target ? nic->target : nic->mac);
    }
    return r;
}

static void fill(struct domain_stats *d, struct domain_stats *single, unsigned groups)
{
    static const struct {
        enum domain_field field;
        unsigned group;
    } rows[] = {{DOMAIN_CPU_TIME, GROUP_CPU},
                {DOMAIN_VCPU_CURRENT, GROUP_VCPU},
                {DOMAIN_BALLOON_CURRENT, GROUP_BALLOON},
                {DOMAIN_BALLOON_RSS, GROUP_BALLOON}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if ((groups & rows[i].group) && !d->field[rows[i].field].has)
            d->field[rows[i].field] = single->field[rows[i].field];
    if (d->disk_count == 0 && single->disk_count) {
        free(d->disks);
        d->disks = single->disks;
        d->disk_count = single->disk_count;
        single->disks = NULL;
        single->disk_count = 0;
    }
    if (d->net_count == 0 && single->net_count) {
        free(d->nets);
        d->nets = single->nets;
        d->net_count = single->net_count;
        single->nets = NULL;
        single->net_count = 0;
    }
}

static int read_singles(struct inspection *in, struct snapshot *s, unsigned groups, int64_t deadline_boot_ns)
{
    struct error ignored;
    if (in->qemu || s->count == 0)
        return 0;
    struct single_ask *a = single_ask_new(s->count);
    int r = a ? 0 : -ENOMEM;
    for (size_t i = 0; i < s->count && r == 0; i++) {
        const struct domain_entry *e = cache_find(&in->cache, s->domains[i].uuid);
        r = single_question(&a->domains[i], &s->domains[i], e ? e->meta : NULL, groups);
    }
    if (r < 0) {
        if (a)
            a->ask.free(&a->ask);
        return r;
    }
    r = inspection_ask(in, &a->ask, ns_max(deadline_boot_ns, clock_boot_ns(in->clock) + XML_NS), &ignored);
    if (r < 0)
        return r == -ENOMEM ? r : 0;
    for (size_t i = 0; i < s->count; i++)
        fill(&s->domains[i], &a->domains[i].stats, groups);
    a->ask.free(&a->ask);
    return 0;
}

int inspection_details(struct inspection *in, struct snapshot *s, unsigned groups, uint64_t connection,
                       int64_t deadline_boot_ns, struct error *error)
{
    int r = see_domains(in, s);
    if (r == 0) {
        cache_find_processes(&in->cache, s->domains, s->count, connection, s->list_boot_ns);
        r = read_metadata(in, s, deadline_boot_ns);
    }
    if (r == 0)
        r = read_singles(in, s, groups, deadline_boot_ns);
    if (r < 0)
        return error_set(error, r, "out of memory");
    cache_turn(&in->cache);
    for (size_t i = 0; i < s->count; i++) {
        const struct domain_entry *e = cache_find(&in->cache, s->domains[i].uuid);
        s->domains[i].meta = e ? e->meta : NULL;
    }
    in->refused = in->cache.refused;
    return 0;
}
