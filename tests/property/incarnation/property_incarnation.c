/* Random hosts before a poller's memory: whatever happens to VMs, lists, events, clocks and the poller itself, what was
 * told is what an oracle that knows the truth says, to the unit and the owner.
 *
 * A poller stores what it remembers together with what it told (rule R1), or loses both: then oracle and book go back
 * to the copy of that moment.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "oracle.h"
#include "pollers/incarnation.h"
#include "support/run.h"

#define SCHEDULES   10000
#define BATCH       500
#define STEPS       30
#define MAX_STREAMS 1024

/* A stream as it was told. */
struct told_stream {
    uint64_t id;
    int vm, project;
    enum meter_id meter;
    enum domain_state state;
    int64_t start_ns, time_ns, value;
    int64_t shift_ns; /* from wall to absolute time */
    bool ended;
};

/* All that is stored together. */
struct stored {
    struct told_stream streams[MAX_STREAMS];
    size_t count;
    struct oracle oracle;
    struct buf vms[VMS];
    bool has_vm[VMS];
    struct incarnations set; /* its figures; vms are the bytes above */
};

struct world {
    uint64_t seed;
    int step;
    struct random_seeded random;
    struct host_model model;
    struct incarnations set;
    struct sighting sighting;
    struct stored now, saved;
};

static struct world world;

#define FAIL_UNLESS(w, condition, ...)                                                                                 \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            fprintf(stderr, "seed %llu step %d: ", (unsigned long long)(w)->seed, (w)->step);                          \
            fprintf(stderr, __VA_ARGS__);                                                                              \
            fputc('\n', stderr);                                                                                       \
            ck_abort_msg(#condition);                                                                                  \
        }                                                                                                              \
    } while (0)

static const struct {
    enum meter_id meter;
    const char *name;
} meters[COUNTERS] = {{METER_CPU, "cpu"},
                      {METER_DISK_READ_BYTES, "read"},
                      {METER_DISK_WRITE_BYTES, "written"},
                      {METER_NET_IN_BYTES, "net"}};
static const char *const projects[PROJECTS] = {"red", "green", "blue"};

/* ---- the book ---- */

static int vm_of(const char *uuid)
{
    for (int i = 0; i < VMS; i++)
        if (strcmp(uuid, model_uuid(i)) == 0)
            return i;
    return -1;
}

static int project_of(const char *name)
{
    for (int i = 0; i < PROJECTS; i++)
        if (strcmp(name, projects[i]) == 0)
            return i;
    return -1;
}

static struct told_stream *stream_of(struct world *w, const struct told *t, bool *ret_new)
{
    struct stored *b = &w->now;
    for (size_t i = b->count; i > 0; i--)
        if (b->streams[i - 1].id == t->stream)
            return &b->streams[i - 1];
    *ret_new = true;
    FAIL_UNLESS(w, b->count < MAX_STREAMS, "too many streams");
    return &b->streams[b->count++];
}

static void book_one(struct world *w, const struct told *t, const struct owner *owner, int64_t offset_ns)
{
    bool is_new = false;
    struct told_stream *s = stream_of(w, t, &is_new);
    int vm = vm_of(w->sighting.vm->uuid), project = project_of(owner->project);
    FAIL_UNLESS(w, t->first == is_new, "a stream's first reading is not marked, or another is");
    if (is_new)
        *s = (struct told_stream){.id = t->stream,
                                  .vm = vm,
                                  .project = project,
                                  .meter = t->meter,
                                  .state = owner->state,
                                  .start_ns = t->start_ns,
                                  .time_ns = t->start_ns,
                                  .shift_ns = w->model.boot_ns - offset_ns};
    FAIL_UNLESS(w, s->vm == vm && s->meter == t->meter, "a stream changes its resource");
    FAIL_UNLESS(w, s->project == project && s->state == owner->state, "a stream changes its owner");
    FAIL_UNLESS(w, !s->ended, "a stream goes on after its end");
    FAIL_UNLESS(w, t->value >= s->value && t->value >= 0, "a stream falls");
    FAIL_UNLESS(w, t->start_ns == s->start_ns && t->time_ns >= s->time_ns, "a stream goes back in time");
    FAIL_UNLESS(w, t->time_ns + s->shift_ns <= w->model.now_ns, "a reading from the future");
    s->time_ns = t->time_ns;
    s->value = t->value;
    s->ended = t->ended;
}

static void book(struct world *w, enum incarnation_verdict verdict, int64_t offset_before_ns)
{
    const struct sighting *s = &w->sighting;
    FAIL_UNLESS(w, verdict == INCARNATION_TOLD || verdict == INCARNATION_SILENT, "verdict %d", (int)verdict);
    if (verdict == INCARNATION_SILENT)
        return;
    for (size_t i = 0; i < s->closing.count; i++)
        book_one(w, &s->closing.items[i], &s->before, offset_before_ns);
    for (size_t i = 0; i < s->current.count; i++)
        if (s->current.items[i].stream)
            book_one(w, &s->current.items[i], &s->vm->owner, s->vm->offset_ns);
}

/* The model's clock steps by far more than is left alone: what is read now bears the wall clock's time. */
static void check_stamps(struct world *w, int64_t at_ns)
{
    const struct told_list *list = &w->sighting.current;
    for (size_t i = 0; i < list->count; i++)
        FAIL_UNLESS(w, list->items[i].ended || list->items[i].time_ns == at_ns + w->model.wall_offset_ns,
                    "%s is stamped %lld ms off", meter_at(list->items[i].meter)->name,
                    (long long)((list->items[i].time_ns - at_ns - w->model.wall_offset_ns) / 1000000));
}

static int64_t offset_of(const struct world *w, const char *uuid)
{
    const struct incarnation *vm = incarnations_find(&w->set, uuid);
    return vm ? vm->offset_ns : 0;
}

/* ---- the poller ---- */

static void hear(struct world *w)
{
    for (size_t i = 0; i < w->model.event_count; i++) {
        const struct model_event *e = &w->model.events[i];
        int64_t offset = offset_of(w, e->event.uuid);
        oracle_event(&w->now.oracle, e);
        book(w, incarnation_event(&w->set, &e->event, &w->sighting), offset);
    }
    w->model.event_count = 0;
}

static void see(struct world *w, int vm, bool first)
{
    struct shown s;
    struct owner owner = {.user = "u", .flavor = "small"};
    if (!model_show(&w->model, vm, first, &s))
        return;
    if (random_below(&w->random.port, 20) == 0) {
        model_replug_within(&w->model, &s);
        hear(w);
    }
    int64_t offset = offset_of(w, s.stats.uuid);
    text_copy(text_of(projects[s.project]), owner.project, sizeof owner.project);
    oracle_see(&w->now.oracle, &s, first);
    enum incarnation_verdict verdict =
        incarnation_see(&w->set, &s.stats, s.owner_unknown ? NULL : &owner, &w->sighting);
    book(w, verdict, offset);
    if (verdict == INCARNATION_TOLD)
        check_stamps(w, s.at_ns);
}

static void poll_host(struct world *w)
{
    struct snapshot list;
    model_snapshot(&w->model, &list);
    enum list_verdict verdict = incarnations_list(&w->set, &list);
    FAIL_UNLESS(w, verdict == LIST_TAKEN, "list verdict %d", (int)verdict);
    bool first = oracle_list(&w->now.oracle, &w->model);
    for (int i = 0; i < VMS; i++)
        see(w, i, first);
    incarnations_listed(&w->set, list.list_boot_ns);
}

static void copy_stored(struct stored *to, const struct stored *from)
{
    memcpy(to->streams, from->streams, from->count * sizeof from->streams[0]);
    to->count = from->count;
    to->oracle = from->oracle;
}

static void save(struct world *w)
{
    copy_stored(&w->saved, &w->now);
    w->saved.set = w->set;
    w->saved.set.vms = (struct map){0};
    for (int i = 0; i < VMS; i++) {
        const struct incarnation *vm = incarnations_find(&w->set, model_uuid(i));
        buf_clear(&w->saved.vms[i]);
        w->saved.has_vm[i] = vm != NULL;
        if (vm)
            incarnation_pack(&w->saved.vms[i], vm);
    }
    incarnations_saved(&w->set);
}

/* The poller is gone; another one begins with what was stored. What was only heard since is lost. */
static void restart(struct world *w)
{
    incarnations_finish(&w->set);
    copy_stored(&w->now, &w->saved);
    w->set = w->saved.set;
    for (int i = 0; i < VMS; i++) {
        if (!w->saved.has_vm[i])
            continue;
        struct incarnation *vm = incarnations_make(&w->set, model_uuid(i), false);
        ck_assert_ptr_nonnull(vm);
        FAIL_UNLESS(w, incarnation_unpack(vm, buf_text(&w->saved.vms[i])) == 0, "stored bytes are refused");
    }
}

/* ---- what must be ---- */

static void check_usage(struct world *w)
{
    static int64_t told[VMS][COUNTERS][PROJECTS];
    memset(told, 0, sizeof told);
    for (size_t i = 0; i < w->now.count; i++)
        for (int c = 0; c < COUNTERS; c++)
            if (w->now.streams[i].meter == meters[c].meter)
                told[w->now.streams[i].vm][c][w->now.streams[i].project] += w->now.streams[i].value;
    for (int v = 0; v < VMS; v++)
        for (int c = 0; c < COUNTERS; c++)
            for (int p = 0; p < PROJECTS; p++)
                FAIL_UNLESS(w, told[v][c][p] == (int64_t)w->now.oracle.used[v][c][p],
                            "vm %d %s of %s: told %lld, used %llu", v, meters[c].name, projects[p],
                            (long long)told[v][c][p], (unsigned long long)w->now.oracle.used[v][c][p]);
}

static int by_start(const void *a, const void *b)
{
    const struct interval *x = a, *y = b;
    return (x->from_ns > y->from_ns) - (x->from_ns < y->from_ns);
}

/* The segments of one size in absolute time, in order. */
static size_t segments(const struct world *w, int vm, enum meter_id meter, struct interval *out)
{
    size_t n = 0;
    for (size_t i = 0; i < w->now.count; i++) {
        const struct told_stream *s = &w->now.streams[i];
        if (s->vm == vm && s->meter == meter && s->time_ns > s->start_ns)
            out[n++] = (struct interval){vm, s->start_ns + s->shift_ns, s->time_ns + s->shift_ns, true};
    }
    qsort(out, n, sizeof *out, by_start);
    return n;
}

static int64_t covered(const struct interval *s, size_t count, int64_t from_ns, int64_t to_ns)
{
    int64_t sum = 0;
    for (size_t i = 0; i < count; i++) {
        int64_t from = s[i].from_ns > from_ns ? s[i].from_ns : from_ns, to = s[i].to_ns < to_ns ? s[i].to_ns : to_ns;
        sum += to > from ? to - from : 0;
    }
    return sum;
}

static void check_interval(struct world *w, const struct interval *v, const struct interval *s, size_t count)
{
    int64_t tick = v->held ? 0 : 10000000; /* a start is cut to its tick */
    int64_t got = covered(s, count, v->from_ns, v->to_ns - tick), wanted = v->held ? v->to_ns - v->from_ns : 0;
    FAIL_UNLESS(w, got == wanted, "vm %d: from %lld to %lld ms %lld ms are held, not %lld", v->vm,
                (long long)(v->from_ns / 1000000), (long long)(v->to_ns / 1000000), (long long)(got / 1000000),
                (long long)(wanted / 1000000));
}

static void check_sizes(struct world *w)
{
    static const enum meter_id sizes[] = {METER_INSTANCE, METER_VCPUS};
    static struct interval s[MAX_STREAMS];
    for (int v = 0; v < VMS; v++) {
        for (size_t m = 0; m < sizeof sizes / sizeof sizes[0]; m++) {
            size_t count = segments(w, v, sizes[m], s);
            for (size_t i = 1; i < count; i++)
                FAIL_UNLESS(w, s[i].from_ns >= s[i - 1].to_ns, "vm %d: two segments of %s overlap by %lld ns", v,
                            meter_at(sizes[m])->name, (long long)(s[i - 1].to_ns - s[i].from_ns));
            for (size_t i = 0; m == 0 && i < w->now.oracle.interval_count; i++)
                if (w->now.oracle.intervals[i].vm == v)
                    check_interval(w, &w->now.oracle.intervals[i], s, count);
        }
    }
}

/* ---- schedules ---- */

static void one_step(struct world *w, bool *up)
{
    int boots = w->model.boots;
    model_step(&w->model);
    if (boots != w->model.boots || (w->now.oracle.has_first && w->now.oracle.boot != w->model.boots))
        w->model.event_count = 0;       /* the first list after a boot comes before any event */
    if (*up && boots != w->model.boots) /* the host took it along; it is back with the host */
        restart(w);
    if (random_below(&w->random.port, 12) == 0) { /* the poller stops, and somewhere later starts */
        if (*up)
            restart(w);
        *up = !*up;
    }
    if (!*up) {
        w->model.event_count = 0;
        return;
    }
    hear(w);
    poll_host(w);
    check_usage(w);
    if (random_below(&w->random.port, 5) > 0)
        save(w);
}

static void run_schedule(struct world *w, uint64_t seed)
{
    bool up = true;
    w->seed = seed;
    w->now.count = w->saved.count = 0;
    memset(&w->now.oracle, 0, sizeof w->now.oracle);
    random_seed(&w->random, seed);
    model_start(&w->model, &w->random.port);
    incarnations_init(&w->set, &w->random.port, GAP_NS);
    save(w);
    for (w->step = 0; w->step < STEPS; w->step++)
        one_step(w, &up);
    check_sizes(w);
    incarnations_finish(&w->set);
}

START_TEST(what_is_told_is_what_was_used_and_nothing_else)
{
    const char *one = getenv("SEED"); /* to look at a failure again */
    for (uint64_t i = 0; i < BATCH; i++)
        run_schedule(&world, one ? strtoull(one, NULL, 10) : (uint64_t)_i * BATCH + i + 1);
    for (int i = 0; i < VMS; i++)
        buf_free(&world.saved.vms[i]);
    sighting_finish(&world.sighting);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("incarnation properties");
    TCase *t = tcase_create("incarnation properties");
    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, what_is_told_is_what_was_used_and_nothing_else, 0, SCHEDULES / BATCH);
    suite_add_tcase(s, t);
    return test_run(s);
}
