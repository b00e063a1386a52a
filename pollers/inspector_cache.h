/* What the inspector remembers of each domain between snapshots: its metadata, its process, whether it hangs.
 *
 * Not thread-safe: the inspector's thread alone uses it.
 */
#ifndef POLLERS_INSPECTOR_CACHE_H
#define POLLERS_INSPECTOR_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "domain_xml.h"
#include "inspector.h"
#include "pluvio/base/map.h"

struct domain_entry {
    char uuid[UUID_SIZE];
    struct domain_meta *meta; /* NULL: not read yet */
    bool stale;               /* its XML may have changed */
    bool hung;                /* its monitor did, the last time */
    uint64_t shape;           /* of id, disks and taps when the XML was read; differs: read it again */
    uint64_t taps;            /* of the taps' names and indexes at the newest reading; 0: none yet */
    int id;                   /* that process_start belongs to, on ... */
    uint64_t connection;      /* ... this connection: after libvirtd's restart ids come again */
    int64_t process_start;    /* 0: unknown */
    unsigned process_tries;   /* fruitless ones */
    int pid;                  /* found by a scan; -1: several */
    uint64_t seen;            /* cycle */
};

struct domain_cache {
    struct map by_uuid;
    uint64_t cycle;
    uint64_t versions; /* of metadata, ever growing */
    uint64_t refused;
    const char *proc;
    char *pid_folder;
    struct domain_xml_settings xml;
};

void cache_finish(struct domain_cache *c);
/* The entry of @uuid, made if need be, and seen in this cycle. NULL: out of memory. */
struct domain_entry *cache_see(struct domain_cache *c, const char *uuid);
struct domain_entry *cache_find(const struct domain_cache *c, const char *uuid);
/* Forget who was not seen in this cycle, and begin the next one. */
void cache_turn(struct domain_cache *c);

/* An empty @uuid: all. */
void cache_mark_stale(struct domain_cache *c, const char *uuid);
/* The XML must be read (again), by what is known and what @d, just read, says. */
bool cache_wants_xml(const struct domain_entry *e, const struct domain_stats *d, enum monitors monitors);
/* Are the interfaces' counters in @d of the taps whose indexes, read after them, stand beside them? Indexes grow: the
 * one of the reading before is of the same tap all the time. Another one in the same process is of a plug in between,
 * and the counters may be the old plug's. Remembers them for the next reading. */
bool cache_taps_agree(struct domain_entry *e, const struct domain_stats *d);
/* Take in @document, read after @d. A document that does not parse is counted, and what was known stays. */
int cache_set_xml(struct domain_cache *c, struct domain_entry *e, const struct domain_stats *d, enum monitors monitors,
                  const char *document, struct error *error);
/* Find the processes of the @count domains, read over @connection since @asked_boot_ns, whose start is not known; set
 * process_start of all. Another id or connection than before makes an entry's XML stale too. What was read of a domain
 * whose process is younger than the question may be its predecessor's (ids come again after a restart of libvirtd): it
 * is left out, and the next reading is its own. */
void cache_find_processes(struct domain_cache *c, struct domain_stats *domains, size_t count, uint64_t connection,
                          int64_t asked_boot_ns);

/* Sorted UUIDs of those that hang: a heap array, *ret_count long; NULL if none, or out of memory (then *ret_count is
 * -ENOMEM). */
char (*cache_hung(const struct domain_cache *c, long *ret_count))[UUID_SIZE];

#endif
