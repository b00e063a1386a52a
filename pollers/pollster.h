/* What sightings and events say, as the bytes of records. Pure.
 *
 * A record's attributes hold for all its points: what closes belongs to the old owner and makes a record of its own,
 * which carries the event that closed it.
 */
#ifndef POLLERS_POLLSTER_H
#define POLLERS_POLLSTER_H

#include "hung.h"
#include "incarnation.h"
#include "pluvio/model/record.h"

struct label {
    const char *key, *value;
};

/* One a poller: what stands in every record, and the scratch of the one at hand. Zero it, set the first part, finish.
 */
struct pollster {
    const char *host_name, *host_uuid; /* borrowed; valid when a record is made */
    const struct label *labels;        /* on every record */
    size_t label_count;
    struct record record;
    struct buf bytes, texts;
};
void pollster_finish(struct pollster *p);

/* A number of the poller's own, for its host's record. */
struct poller_number {
    const char *meter; /* "pluvio.poller.hung" */
    int64_t value;
};

struct telling {
    const struct told_list *list;
    const struct incarnation *vm;
    const struct owner *owner;
    const struct domain_stats *domain; /* NULL: an event's, which has no description */
    const char *event;                 /* NULL: a plain reading */
    int64_t event_time_ns;
};

/* The record's bytes, valid until the next call; empty: out of memory. */
struct text pollster_record(struct pollster *p, const struct telling *t);
/* The poller's own word: its figures, and who hangs (in the attribute pluvio.poller.hung). */
struct poller_word {
    const struct poller_number *numbers;
    size_t count;
    const struct hung *hung;
    int64_t time_ns;
};
/* The host's own; @word NULL: only what is in @list. */
struct text pollster_host_record(struct pollster *p, const struct told_list *list, const struct incarnation *host,
                                 const struct poller_word *word);

/* Does a stream begin or end in @list? Such a record is never thinned out. */
bool told_is_edge(const struct told_list *list);

#endif
