/* What a poller that saw these lists and events must have told, reckoned apart from it: readings, as differences
 * between what the host really counted, each to who was known to own the VM; and when a VM must have been held, or not.
 *
 * It knows which process and which plug a reading really is of. Where what is shown cannot tell (a disk plugged again
 * unseen, its counters all past the old ones) it grants the difference only, as rule S4 documents.
 */
#ifndef TESTS_PROPERTY_INCARNATION_ORACLE_H
#define TESTS_PROPERTY_INCARNATION_ORACLE_H

#include "host_model.h"

#define GAP_NS        (300 * SECOND)
#define MAX_INTERVALS 256

enum seen_as { SEEN_NOT, SEEN_ALIVE, SEEN_STOPPED };

struct oracle_vm {
    bool known, running, arriving, owned, start_known;
    int id, project;
    uint64_t process;
    bool from_zero[COUNTERS], has_last[COUNTERS];
    uint64_t last[COUNTERS];
    int64_t chain[MAX_CHAIN];
    size_t chain_count;
    int64_t plug_event_ns; /* absolute; 0: none that was not settled */
    uint64_t ifindex;      /* 0: not known */
    uint64_t version;
    enum seen_as seen;
    int64_t seen_ns, mark_ns; /* absolute: the newest list; the same or the newest event */
};

struct interval {
    int vm;
    int64_t from_ns, to_ns;
    bool held; /* else: must not be */
};

/* Plain data: a poller that loses what it had not stored goes back to a copy. */
struct oracle {
    struct oracle_vm vms[VMS];
    uint64_t used[VMS][COUNTERS][PROJECTS];
    bool has_first;
    int64_t first_ns;
    int first_boot, boot;
    size_t interval_count;
    struct interval intervals[MAX_INTERVALS];
};

/* A list is taken; true: it is the first. */
bool oracle_list(struct oracle *o, const struct host_model *m);
void oracle_see(struct oracle *o, const struct shown *s, bool first);
void oracle_event(struct oracle *o, const struct model_event *e);

#endif
