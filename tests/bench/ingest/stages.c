#include "stages.h"

#include <time.h>

#include "collector/ledger/ledger.h"
#include "pluvio/base/clock.h"
#include "pluvio/wire/otlp.h"

struct stage_clock stages;
const char *const stage_names[STAGES] = {"fetch",        "decode",          "series",
                                         "ledger_write", "archive_journal", "ledger_commit"};

int64_t thread_cpu_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (int64_t)t.tv_sec * NS_PER_S + t.tv_nsec;
}

void stages_start(bool on)
{
    enum { READINGS = 100000 };
    int64_t begun = thread_cpu_ns();
    for (int i = 0; i < READINGS; i++)
        (void)thread_cpu_ns();
    stages = (struct stage_clock){.on = on, .tick_ns = (thread_cpu_ns() - begun) / READINGS};
}

int64_t stage_begin(void)
{
    return stages.on ? thread_cpu_ns() : 0;
}

void stage_end(enum stage stage, int64_t begun_ns)
{
    if (!stages.on)
        return;
    stages.ns[stage] += thread_cpu_ns() - begun_ns;
    stages.calls[stage]++;
}

double stage_ns(enum stage stage)
{
    return (double)(stages.ns[stage] - stages.calls[stage] * stages.tick_ns);
}

/* ---- wrapped by the linker ---- */

enum otlp_refusal __real_otlp_decode(struct otlp_decoder *d, struct text bytes);
enum otlp_refusal __wrap_otlp_decode(struct otlp_decoder *d, struct text bytes);
enum otlp_refusal __wrap_otlp_decode(struct otlp_decoder *d, struct text bytes)
{
    int64_t begun = stage_begin();
    enum otlp_refusal r = __real_otlp_decode(d, bytes);
    stage_end(STAGE_DECODE, begun);
    return r;
}

enum series_refusal __real_series_apply(struct accountant *a, struct entity *e, const struct record *r, int64_t now_ms);
enum series_refusal __wrap_series_apply(struct accountant *a, struct entity *e, const struct record *r, int64_t now_ms);
enum series_refusal __wrap_series_apply(struct accountant *a, struct entity *e, const struct record *r, int64_t now_ms)
{
    int64_t begun = stage_begin();
    enum series_refusal refusal = __real_series_apply(a, e, r, now_ms);
    stage_end(STAGE_SERIES, begun);
    return refusal;
}

void __real_ledger_write_out(struct ledger *l);
void __wrap_ledger_write_out(struct ledger *l);
void __wrap_ledger_write_out(struct ledger *l)
{
    int64_t begun = stage_begin();
    __real_ledger_write_out(l);
    stage_end(STAGE_WRITE, begun);
}

int __real_ledger_commit(struct ledger *l, struct error *error);
int __wrap_ledger_commit(struct ledger *l, struct error *error);
int __wrap_ledger_commit(struct ledger *l, struct error *error)
{
    int64_t begun = stage_begin();
    int r = __real_ledger_commit(l, error);
    stage_end(STAGE_COMMIT, begun);
    return r;
}

/* ---- the archive's port ---- */

static struct {
    struct archive port; /* first */
    struct archive *inner;
} timed;

static int timed_add(struct archive *self, const struct archive_row *row)
{
    (void)self;
    return timed.inner->add(timed.inner, row);
}

static int timed_seal(struct archive *self, uint64_t commit, struct error *error)
{
    int64_t begun = stage_begin();
    (void)self;
    int r = timed.inner->seal(timed.inner, commit, error);
    stage_end(STAGE_JOURNAL, begun);
    return r;
}

static void timed_confirm(struct archive *self, uint64_t commit)
{
    (void)self;
    timed.inner->confirm(timed.inner, commit);
}

static void timed_forget(struct archive *self)
{
    (void)self;
    timed.inner->forget(timed.inner);
}

struct archive *stages_archive(struct archive *inner)
{
    timed.port = (struct archive){timed_add, timed_seal, timed_confirm, timed_forget, NULL};
    timed.inner = inner;
    return &timed.port;
}
