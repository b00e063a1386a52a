/* Where the ingest thread's CPU time goes: the calls between stages, wrapped by the linker (--wrap) and timed by the
 * thread's CPU clock. Reading that clock costs something too: what it costs is measured and taken off.
 */
#ifndef TESTS_BENCH_INGEST_STAGES_H
#define TESTS_BENCH_INGEST_STAGES_H

#include <stdbool.h>
#include <stdint.h>

#include "collector/archive/archive.h"

enum stage { STAGE_FETCH, STAGE_DECODE, STAGE_SERIES, STAGE_WRITE, STAGE_JOURNAL, STAGE_COMMIT, STAGES };
extern const char *const stage_names[STAGES];

struct stage_clock {
    bool on; /* off: nothing is timed, so that nothing is disturbed */
    int64_t ns[STAGES], calls[STAGES];
    int64_t tick_ns; /* one reading of the clock */
};
extern struct stage_clock stages;

int64_t thread_cpu_ns(void);
void stages_start(bool on);
int64_t stage_begin(void);
void stage_end(enum stage stage, int64_t begun_ns);
/* What stage @stage took, without the clock's own cost. */
double stage_ns(enum stage stage);

/* @inner with its seal timed. Not owned. */
struct archive *stages_archive(struct archive *inner);

#endif
