#include "inspection.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host_figures.h"
#include "host_identity.h"
#include "inspection_details.h"
#include "inspector_ask.h"
#include "pluvio/model/meter.h"

/* What a call that is merely slow gets beyond its deadline, at least. */
#define GRACE_NS (1 * NS_PER_S)

unsigned inspection_stuck(struct inspection *in)
{
    unsigned stuck = 0;
    for (unsigned i = 0; i <= in->stuck_max; i++)
        stuck += !inspect_worker_idle(in->workers[i]);
    return stuck;
}

struct inspect_worker *inspection_worker(struct inspection *in, struct error *error)
{
    for (unsigned i = 0; i <= in->stuck_max; i++)
        if (inspect_worker_idle(in->workers[i]))
            return in->workers[i];
    error_set(error, -EBUSY, "libvirt does not answer: %u calls hang in it, none more is made", in->stuck_max + 1);
    return NULL;
}

int inspection_ask(struct inspection *in, struct ask *ask, int64_t deadline_boot_ns, struct error *error)
{
    struct inspect_worker *w = inspection_worker(in, error);
    if (!w) {
        ask->free(ask);
        return -EBUSY;
    }
    int r = inspect_worker_put(w, ask, error), result = 0;
    if (r < 0)
        return r;
    r = inspect_worker_wait(w, deadline_boot_ns, &result, error);
    if (r < 0) {
        inspect_worker_leave(w);
        in->overruns += r == -ETIMEDOUT;
        return error_set(error, r, "libvirt has not answered in time");
    }
    if (result < 0)
        ask->free(ask);
    return result;
}

/* A question as things stand: how many calls hang, and who is known to. */
static struct stats_ask *stats_question(struct inspection *in, unsigned groups, bool look, int64_t hung_ms)
{
    long suspects;
    struct stats_ask *a = stats_ask_new();
    if (!a)
        return NULL;
    a->suspects = cache_hung(&in->cache, &suspects);
    if (suspects < 0) {
        a->ask.free(&a->ask);
        return NULL;
    }
    a->suspect_count = (size_t)suspects;
    a->clock = in->clock;
    a->groups = groups;
    a->look = look;
    a->hung_ms = hung_ms;
    a->monitors = inspection_stuck(in) >= in->stuck_max ? MONITORS_STUCK : MONITORS_ASKED;
    return a;
}

/* Who asks and is asked around an overrun. */
struct round {
    struct inspection *in;
    unsigned groups;
    int64_t until_boot_ns, cycle_ns, hung_ms;
    struct inspect_worker *stuck; /* the overrun one, still ours */
    struct stats_ask *stuck_ask;
    bool slow; /* nobody hangs and still it takes too long */
};

enum outcome { OUTCOME_DONE, OUTCOME_AGAIN, OUTCOME_FAILED };

static enum outcome finished(struct stats_ask *ask, int result, struct stats_ask **ret)
{
    if (result == 0)
        *ret = ask;
    else
        ask->ask.free(&ask->ask);
    return result == 0 ? OUTCOME_DONE : OUTCOME_FAILED;
}

/* Nobody hangs: the first call is only slow (a large host), or libvirtd was busy. Give it the grace time too. */
static enum outcome wait_for_slow(struct round *r, struct stats_ask **ret, int *ret_code, struct error *error)
{
    int result = 0;
    int64_t grace_ns = r->cycle_ns > GRACE_NS ? r->cycle_ns : GRACE_NS;
    *ret_code = inspect_worker_wait(r->stuck, clock_boot_ns(r->in->clock) + grace_ns, &result, error);
    if (*ret_code == 0) {
        *ret_code = result;
        enum outcome outcome = finished(r->stuck_ask, result, ret);
        r->stuck = NULL;
        return outcome;
    }
    r->slow = true;
    r->until_boot_ns = clock_boot_ns(r->in->clock) + grace_ns;
    return *ret_code == -ETIMEDOUT ? OUTCOME_AGAIN : OUTCOME_FAILED;
}

static enum outcome ask_spare(struct round *r, struct stats_ask **ret, int *ret_code, struct error *error)
{
    int result = 0;
    struct inspect_worker *spare = inspection_worker(r->in, error);
    struct stats_ask *ask = spare ? stats_question(r->in, r->groups, true, r->hung_ms) : NULL;
    *ret_code = spare ? -ENOMEM : -EBUSY;
    if (!ask)
        return OUTCOME_FAILED;
    if (r->slow)
        ask->monitors = MONITORS_SLOW;
    *ret_code = inspect_worker_put(spare, &ask->ask, error);
    if (*ret_code < 0)
        return OUTCOME_FAILED;
    *ret_code = inspect_worker_wait(spare, r->until_boot_ns, &result, error);
    if (*ret_code < 0) {
        r->in->overruns++;
        inspect_worker_leave(r->stuck);
        r->stuck = spare;
        r->stuck_ask = ask;
        r->until_boot_ns = clock_boot_ns(r->in->clock) + r->cycle_ns;
        return *ret_code == -ETIMEDOUT ? OUTCOME_AGAIN : OUTCOME_FAILED;
    }
    *ret_code = result;
    if (result < 0 || !ask->none_hung)
        return finished(ask, result, ret);
    ask->ask.free(&ask->ask);
    return wait_for_slow(r, ret, ret_code, error);
}

/* Every turn uses up a worker or the right to ask monitors, so it ends. */
static int ask_around(struct round *r, struct stats_ask **ret, struct error *error)
{
    int code;
    enum outcome outcome;
    do
        outcome = ask_spare(r, ret, &code, error);
    while (outcome == OUTCOME_AGAIN);
    if (r->stuck)
        inspect_worker_leave(r->stuck);
    if (outcome == OUTCOME_FAILED && (code == -EBUSY || code == -ENOMEM))
        error_set(error, code, code == -EBUSY ? "libvirt does not answer" : "out of memory");
    return outcome == OUTCOME_DONE ? 0 : code;
}

/* How long a monitor must have been occupied to count as hung: at the overrun the first call has been in it for up to
 * the whole cycle, while a command takes about a millisecond. */
static int64_t hung_threshold_ms(int64_t cycle_ns)
{
    int64_t half_ms = cycle_ns / NS_PER_MS / 2;
    return half_ms < 50 ? 50 : half_ms > 500 ? 500 : half_ms;
}

static int ask_stats(struct inspection *in, unsigned groups, int64_t deadline_boot_ns, struct stats_ask **ret,
                     struct error *error)
{
    int result = 0;
    int64_t cycle_ns = deadline_boot_ns - clock_boot_ns(in->clock);
    int64_t hung_ms = hung_threshold_ms(cycle_ns);
    struct inspect_worker *w = inspection_worker(in, error);
    if (!w)
        return -EBUSY;
    struct stats_ask *ask = stats_question(in, groups, false, hung_ms);
    if (!ask)
        return error_set(error, -ENOMEM, "out of memory");
    int r = inspect_worker_put(w, &ask->ask, error);
    if (r < 0)
        return r;
    r = inspect_worker_wait(w, deadline_boot_ns, &result, error);
    if (r == 0)
        return finished(ask, result, ret) == OUTCOME_DONE ? 0 : result;
    if (r == -ECANCELED) {
        inspect_worker_leave(w);
        return error_set(error, r, "the inspector ends");
    }
    in->overruns++;
    struct round round = {.in = in,
                          .groups = groups,
                          .cycle_ns = cycle_ns,
                          .hung_ms = hung_ms,
                          .stuck = w,
                          .stuck_ask = ask,
                          .until_boot_ns = deadline_boot_ns + cycle_ns};
    return ask_around(&round, ret, error);
}

/* A cold libvirtd probes its emulators for some seconds before it can say: then the next cycle asks again. */
static int identify_host(struct inspection *in, int64_t deadline_boot_ns, struct error *error)
{
    if (in->identified)
        return 0;
    struct identity_ask *a = identity_ask_new();
    if (!a)
        return error_set(error, -ENOMEM, "out of memory");
    int64_t grace_ns = clock_boot_ns(in->clock) + GRACE_NS;
    int r = inspection_ask(in, &a->ask, deadline_boot_ns > grace_ns ? deadline_boot_ns : grace_ns, error);
    if (r < 0)
        return error_prefix(error, "who the host is");
    memcpy(in->host_uuid, a->host_uuid, UUID_SIZE);
    free(in->host_name);
    in->host_name = a->host_name;
    a->host_name = NULL;
    in->qemu = a->qemu;
    a->ask.free(&a->ask);
    /* Drivers other than QEMU's may know none. */
    if (!in->host_uuid[0] && !host_machine_id(in->host_uuid))
        return error_set(error, -ENODATA, "the hypervisor names no UUID of this host, and /etc/machine-id has none");
    in->identified = host_boot_id(in->boot_id);
    return in->identified ? 0 : error_set(error, -EIO, "/proc/sys/kernel/random/boot_id cannot be read");
}

static struct snapshot *snapshot_of(struct inspection *in, struct stats_ask *a)
{
    struct snapshot *s = calloc(1, sizeof(*s));
    if (!s)
        return NULL;
    s->host_name = strdup(in->host_name);
    if (!s->host_name) {
        snapshot_free(s);
        return NULL;
    }
    memcpy(s->host_uuid, in->host_uuid, UUID_SIZE);
    memcpy(s->boot_id, in->boot_id, UUID_SIZE);
    if (a->groups & GROUP_HOST)
        host_figures_read("/proc", s->host);
    s->listed = true;
    s->list_wall_ns = a->list_wall_ns;
    s->list_boot_ns = a->list_boot_ns;
    s->calls = a->calls;
    s->hung = a->hung;
    s->monitors = a->monitors;
    s->domains = a->domains;
    s->count = a->count;
    a->domains = NULL;
    a->count = 0;
    return s;
}

int inspection_run(struct inspection *in, unsigned groups, int64_t deadline_boot_ns, struct snapshot **ret,
                   struct error *error)
{
    struct stats_ask *a = NULL;
    (void)feed_wait_listening(in->feed, deadline_boot_ns);
    int r = identify_host(in, deadline_boot_ns, error);
    if (r == 0)
        r = ask_stats(in, groups, deadline_boot_ns, &a, error);
    if (r < 0)
        return r;
    feed_retry(in->feed);
    struct snapshot *s = snapshot_of(in, a);
    uint64_t connection = a->connection;
    a->ask.free(&a->ask);
    r = s ? inspection_details(in, s, groups, connection, deadline_boot_ns, error)
          : error_set(error, -ENOMEM, "out of memory");
    if (r < 0)
        snapshot_free(s);
    else
        *ret = s;
    return r;
}
