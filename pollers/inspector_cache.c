#include "inspector_cache.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "process_start.h"

/* A process that cannot be found (another namespace, not QEMU's) is not looked for for ever. */
#define PROCESS_TRIES 3

static void entry_free(struct domain_entry *e)
{
    domain_meta_free(e->meta);
    free(e);
}

void cache_finish(struct domain_cache *c)
{
    size_t cursor = 0;
    struct domain_entry *e;
    while ((e = map_next(&c->by_uuid, &cursor)))
        entry_free(e);
    map_free(&c->by_uuid);
    free(c->pid_folder);
    c->pid_folder = NULL;
}

struct domain_entry *cache_find(const struct domain_cache *c, const char *uuid)
{
    return map_get(&c->by_uuid, text_of(uuid));
}

struct domain_entry *cache_see(struct domain_cache *c, const char *uuid)
{
    struct domain_entry *e = cache_find(c, uuid);
    if (!e) {
        e = calloc(1, sizeof(*e));
        if (!e)
            return NULL;
        text_copy(text_of(uuid), e->uuid, sizeof(e->uuid));
        e->id = -1;
        if (map_put(&c->by_uuid, text_of(e->uuid), e) < 0) {
            free(e);
            return NULL;
        }
    }
    e->seen = c->cycle;
    return e;
}

/* Some that were not seen in this cycle; the map must not change under the walk. */
static size_t some_unseen(const struct domain_cache *c, struct domain_entry **out, size_t max)
{
    size_t cursor = 0, count = 0;
    struct domain_entry *e;
    while (count < max && (e = map_next(&c->by_uuid, &cursor)))
        if (e->seen != c->cycle)
            out[count++] = e;
    return count;
}

void cache_turn(struct domain_cache *c)
{
    struct domain_entry *gone[256];
    size_t count;
    while ((count = some_unseen(c, gone, sizeof(gone) / sizeof(gone[0])))) {
        for (size_t i = 0; i < count; i++) {
            map_take(&c->by_uuid, text_of(gone[i]->uuid));
            entry_free(gone[i]);
        }
    }
    c->cycle++;
}

void cache_mark_stale(struct domain_cache *c, const char *uuid)
{
    size_t cursor = 0;
    struct domain_entry *e = uuid[0] ? cache_find(c, uuid) : NULL;
    if (e)
        e->stale = true;
    while (!uuid[0] && (e = map_next(&c->by_uuid, &cursor)))
        e->stale = true;
}

#define FNV_BASIS 14695981039346656037ULL

static uint64_t mix(uint64_t shape, uint64_t value)
{
    return (shape ^ value) * 1099511628211ULL; /* FNV's prime */
}

static uint64_t mix_taps(uint64_t shape, const struct domain_stats *d)
{
    for (size_t i = 0; i < d->net_count; i++) {
        shape = mix(shape, text_hash(text_of(d->nets[i].name)));
        shape = mix(shape, d->nets[i].ifindex.value);
    }
    return shape;
}

/* Grows another one when a device comes or goes, a chain changes its top, or the domain is another process. */
static uint64_t shape_of(const struct domain_stats *d)
{
    uint64_t shape = mix(FNV_BASIS, (uint64_t)(int64_t)d->id);
    for (size_t i = 0; i < d->disk_count; i++) {
        shape = mix(shape, text_hash(text_of(d->disks[i].name)));
        shape = mix(shape, d->disks[i].backing_index.value);
    }
    return mix_taps(shape, d);
}

bool cache_taps_agree(struct domain_entry *e, const struct domain_stats *d)
{
    if (d->net_count == 0) /* not asked for, perhaps */
        return true;
    uint64_t taps = mix_taps(FNV_BASIS, d);
    bool agree = !e->taps || e->taps == taps || e->id != d->id;
    e->taps = taps;
    return agree;
}

/* Its disks are in @d. */
static bool shows_disks(const struct domain_stats *d, enum monitors monitors)
{
    return d->answers && monitors == MONITORS_ASKED;
}

bool cache_wants_xml(const struct domain_entry *e, const struct domain_stats *d, enum monitors monitors)
{
    return !e->meta || e->stale || (shows_disks(d, monitors) && e->shape != shape_of(d));
}

int cache_set_xml(struct domain_cache *c, struct domain_entry *e, const struct domain_stats *d, enum monitors monitors,
                  const char *document, struct error *error)
{
    struct domain_meta *meta = NULL;
    unsigned refused = 0;
    int r = domain_xml_read(&meta, text_of(document), &c->xml, &refused, error);
    c->refused += refused + (r < 0);
    if (r == -ENOMEM)
        return r;
    e->stale = false;
    if (shows_disks(d, monitors))
        e->shape = shape_of(d);
    if (r < 0)
        return r;
    domain_meta_free(e->meta);
    e->meta = meta;
    meta->version = ++c->versions;
    return 0;
}

static bool wants_process(const struct domain_entry *e)
{
    return e->id >= 0 && !e->process_start && e->process_tries < PROCESS_TRIES;
}

/* Without a look at all processes. */
static int64_t start_of_known(const struct domain_cache *c, const struct domain_stats *d)
{
    int pid = c->pid_folder ? process_of_file(c->pid_folder, d->name) : 0;
    if (pid && process_runs_domain(c->proc, pid, d->uuid))
        return process_start_of(c->proc, pid);
    return process_runs_container(c->proc, d->id, d->name) ? process_start_of(c->proc, d->id) : 0;
}

/* Two processes of one UUID (two libvirtds on one machine): rather unknown than wrong. */
static void found_process(void *context, const char uuid[UUID_SIZE], int pid)
{
    struct domain_entry *e = cache_find(context, uuid);
    if (e && wants_process(e))
        e->pid = e->pid ? -1 : pid;
}

static bool refresh(struct domain_cache *c, struct domain_stats *d, struct domain_entry *e, uint64_t connection)
{
    if (e->id != d->id || e->connection != connection) {
        e->id = d->id;
        e->connection = connection;
        e->process_start = 0;
        e->process_tries = 0;
        e->stale = true;
    }
    if (wants_process(e))
        e->process_start = start_of_known(c, d);
    e->pid = 0;
    return wants_process(e);
}

/* Its start is cut to its tick. */
static bool began_since(const struct domain_stats *d, int64_t boot_ns)
{
    return d->process_start && (d->process_start + 1) * TICK_NS > boot_ns;
}

void cache_find_processes(struct domain_cache *c, struct domain_stats *domains, size_t count, uint64_t connection,
                          int64_t asked_boot_ns)
{
    bool missing = false;
    for (size_t i = 0; i < count; i++) {
        struct domain_entry *e = cache_find(c, domains[i].uuid);
        if (e && refresh(c, &domains[i], e, connection))
            missing = true;
    }
    if (missing)
        (void)!process_scan(c->proc, found_process, c);
    for (size_t i = 0; i < count; i++) {
        struct domain_entry *e = cache_find(c, domains[i].uuid);
        if (!e)
            continue;
        if (wants_process(e) && e->pid > 0)
            e->process_start = process_start_of(c->proc, e->pid);
        if (wants_process(e))
            e->process_tries++;
        domains[i].process_start = e->process_start;
        if (began_since(&domains[i], asked_boot_ns))
            domain_stats_leave_out_all(&domains[i]);
    }
}

static int by_uuid(const void *a, const void *b)
{
    return memcmp(a, b, UUID_SIZE);
}

char (*cache_hung(const struct domain_cache *c, long *ret_count))[UUID_SIZE]
{
    size_t cursor = 0;
    long count = 0;
    struct domain_entry *e;
    while ((e = map_next(&c->by_uuid, &cursor)))
        count += e->hung;
    *ret_count = count;
    char(*uuids)[UUID_SIZE] = count ? calloc((size_t)count, UUID_SIZE) : NULL;
    if (!uuids) {
        *ret_count = count ? -ENOMEM : 0;
        return NULL;
    }
    count = 0;
    cursor = 0;
    while ((e = map_next(&c->by_uuid, &cursor)))
        if (e->hung)
            memcpy(uuids[count++], e->uuid, UUID_SIZE);
    qsort(uuids, (size_t)count, UUID_SIZE, by_uuid);
    return uuids;
}
