/* The ledger's read side: usage, resources, dead letters, audit. Opens the ledger file read-only; any process may,
 * collector running or not. One thread uses one handle. No read transaction outlives a call.
 */
#ifndef PLUVIO_LEDGER_LEDGER_QUERY_H
#define PLUVIO_LEDGER_LEDGER_QUERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pluvio/base/buf.h"
#include "pluvio/base/error.h"
#include "pluvio/base/wide.h"
#include "pluvio/model/meter.h"

struct ledger_reader;

int ledger_reader_open(struct ledger_reader **ret, const char *path, struct error *error)
    __attribute__((warn_unused_result));
void ledger_reader_close(struct ledger_reader *l); /* takes NULL */

/* ---- usage ---- */

enum usage_step { USAGE_HOUR, USAGE_DAY, USAGE_MONTH, USAGE_TOTAL, USAGE_STEPS };
enum usage_group {
    USAGE_BY_PROJECT = 1,
    USAGE_BY_RESOURCE = 2,
    USAGE_BY_METER = 4, /* always on: quantities of two meters do not add up */
    USAGE_BY_FLAVOR = 8,
    USAGE_BY_STATE = 16,
    USAGE_BY_USER = 32,
    USAGE_BY_ENTITY = 64 /* the VM, its disks and interfaces together */
};

struct usage_query {
    int64_t from_ms, to_ms; /* [from, to), rounded outwards to the step in UTC; errors say so where it matters */
    enum usage_step step;
    unsigned groups; /* enum usage_group */
    /* Filters; empty: any. A meter may end in "*". */
    struct text project, resource, entity, meter, flavor, state, user;
    struct text after; /* page key of an earlier row; empty: from the start */
    size_t limit;      /* rows of this page; 1 .. 10000 */
};

struct usage_row {
    int64_t from_ms, to_ms;                                            /* the step; of USAGE_TOTAL the query's */
    struct text project, user, resource, entity, meter, flavor, state; /* empty where not grouped by */
    const char *unit; /* of the quantity: "ns", "B", "request"; allocated: "instance*ms", "MiB*ms" ... */
    enum meter_basis basis;
    wide quantity;
    wide covered_ms; /* what observations vouch for, summed over the streams */
    bool open;       /* a part of it lies in a period that is not finished */
};
struct usage_page {
    struct usage_row *rows; /* in order: from_ms, project, user, entity, resource, meter, flavor, state */
    size_t count;
    struct buf texts; /* what the rows' texts point into */
    char *next;       /* page key, or NULL at the end */
};

int ledger_usage(struct ledger_reader *l, const struct usage_query *query, struct usage_page *ret, struct error *error)
    __attribute__((warn_unused_result));
void usage_page_free(struct usage_page *p);

/* ---- what is known ---- */

struct resource_row {
    struct text id, entity, project, user, name, host, state, flavor;
    enum resource_kind kind;
    int64_t first_ms, last_ms; /* first and newest reading */
    struct text metadata;      /* JSON object: the newest attributes */
    struct text meters;        /* JSON array of {"meter","type","unit","first","last"} (times RFC 3339) */
};
struct resource_page {
    struct resource_row *rows;
    size_t count;
    struct buf texts;
    char *next;
};
/* In order of id, from behind @after. Filters may be empty. */
int ledger_resources(struct ledger_reader *l, struct text project, struct text kind, struct text entity, struct text id,
                     struct text after, size_t limit, struct resource_page *ret, struct error *error)
    __attribute__((warn_unused_result));
void resource_page_free(struct resource_page *p);

/* An outbox of a host. One of a host is current: its records are accounted; others wait until it is silent. */
struct host_row {
    char host[65], outbox[33];
    bool current;
    int64_t newest_ms; /* newest reading that came in; 0: none */
    int64_t seen_ms;   /* when that was; 0: never */
    int64_t
        since_ms; /* its counters are read on from there, as what was before is another outbox's; 0: from their start */
};
struct host_page {
    struct host_row *rows;
    size_t count;
    bool more; /* go on from behind the last row's outbox */
};
/* In order of host and outbox, from behind outbox @after. */
int ledger_hosts(struct ledger_reader *l, struct text after, size_t limit, struct host_page *ret, struct error *error)
    __attribute__((warn_unused_result));
void host_page_free(struct host_page *p);

struct dead_letter_row {
    int64_t id, time_ms, offset;
    int32_t partition;
    struct text reason, key, value; /* value: the first bytes, as they came */
    int64_t value_size;
};
struct dead_letter_page {
    struct dead_letter_row *rows;
    size_t count;
    struct buf texts;
    int64_t next;  /* 0 at the end */
    int64_t total; /* ever, the ones that were pushed out too */
};
int ledger_dead_letters(struct ledger_reader *l, int64_t after, size_t limit, struct dead_letter_page *ret,
                        struct error *error) __attribute__((warn_unused_result));
void dead_letter_page_free(struct dead_letter_page *p);

/* ---- audit ---- */

struct audit_mismatch {
    struct text resource, meter;
    uint64_t stream;  /* the poller's id; 0 for a union or a day sum */
    const char *what; /* "stream", "union", "day sum", "state" */
    wide booked, expected;
};
struct audit_result {
    uint64_t streams, rows, entities, days;
    struct audit_mismatch *mismatches; /* at most 1000 are kept; `mismatch_count` counts all */
    size_t kept;
    uint64_t mismatch_count;
    struct buf units; /* JSON object: meter -> total quantity as a decimal string */
    struct buf texts;
    uint64_t commit; /* the ledger's newest commit that was seen */
};
/* Conservation, in one read transaction: for every consumed stream, finished periods plus the open one are its newest
 * reading; for every allocated meter of a resource the booked time is the union of its segments; day sums are the sums
 * of their rows. 0 also when there are mismatches. */
int ledger_audit(struct ledger_reader *l, struct audit_result *ret, struct error *error)
    __attribute__((warn_unused_result));
void audit_result_free(struct audit_result *r);

/* The newest commit's number and time; cheap. */
int ledger_position(struct ledger_reader *l, uint64_t *ret_commit, int64_t *ret_time_ms, struct error *error)
    __attribute__((warn_unused_result));

#endif
