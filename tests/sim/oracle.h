/* What must be billed, by somebody who knows the truth: which process and which plug a number belongs to. Written apart
 * from the product's code, from the promises of its protocol:
 *
 *   - what was there at a host's first list has its first reading as base, all else began at zero;
 *   - a reading bills what came since the one before it to whose the VM was seen to be until then, a new process's to
 *     whose it is;
 *   - what a process or plug did after its last reading nobody can know;
 *   - a disk that may have been plugged anew, unseen, without an event and without a counter that fell, counts on (S4).
 *
 * Only what the poller's disk has counts: readings wait here until the world says that it does, and are forgotten if
 * the poller dies before.
 */
#ifndef TESTS_SIM_ORACLE_H
#define TESTS_SIM_ORACLE_H

#include "sim/truth.h"

/* Out of sight for longer, it is vouched for only where the process is known to be the same. */
#define ORACLE_GAP_NS (30LL * 1000000000)

struct oracle_counter {
    bool has;
    uint64_t last;
};
struct oracle_plug {
    uint64_t plug;
    bool zero;
    bool shown; /* by a description: else nothing is known that another one could differ from */
    struct oracle_counter counters[SIM_COUNTERS];
};
/* An entity as a host's poller has come to know it. */
struct oracle_view {
    bool known, owned;
    enum seen_state state;
    int64_t disk_event_ns;      /* a disk was plugged or unplugged, and no list showed it yet; 0: none */
    uint64_t process, arriving; /* seen to run; seen to come */
    bool zero;                  /* the process that runs has been counted from its beginning */
    int owner;
    int64_t seen_ns, ended_ns, since_ns; /* newest list with it; newest word of an end, of another state */
    int64_t held_ns; /* it was there then, and the next reading may vouch for the time since; 0: no */
    struct oracle_plug plugs[SIM_DEVICES];
};
/* Somebody had the VM from one moment to another. */
struct oracle_span {
    int64_t from_ns, to_ns;
    int owner;
};
struct oracle_word; /* what waits to be on the disk */

struct oracle_host {
    int64_t first_list_ns; /* 0: none yet */
    struct oracle_view views[SIM_ENTITIES];
    struct oracle_word *words, **tail;
};

struct oracle {
    struct oracle_host hosts[SIM_HOSTS];
    int64_t used[SIM_ENTITIES][SIM_DEVICES][SIM_COUNTERS][SIM_OWNERS];
    struct oracle_span *spans[SIM_ENTITIES];
    size_t span_count[SIM_ENTITIES], span_cap[SIM_ENTITIES];
    uint64_t readings, ambiguous;
};

void oracle_init(struct oracle *o);
void oracle_finish(struct oracle *o);

/* The poller hears this; it is copied. */
void oracle_list(struct oracle *o, const struct seen_list *list);
void oracle_event(struct oracle *o, const struct seen_event *event);
/* What @host's poller heard is on its disk; or the poller died and it is not. */
void oracle_stored(struct oracle *o, int host);
void oracle_lost(struct oracle *o, int host);
bool oracle_waits(const struct oracle *o, int host);
/* The machine booted: nothing runs that did. */
void oracle_booted(struct oracle *o, int host);

/* The time for which @entity was vouched for, each moment once: by @owner, or by anybody (-1). */
int64_t oracle_held_ns(struct oracle *o, int entity, int owner);

#endif
