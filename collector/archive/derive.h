/* What is not stored but follows from what is: a counter's usage, "<counter>.rate", "cpu_util". Pure. */
#ifndef COLLECTOR_ARCHIVE_DERIVE_H
#define COLLECTOR_ARCHIVE_DERIVE_H

#include <stdbool.h>

#include "pluvio/archive/archive_layout.h"
#include "pluvio/base/buf.h"

enum derive_how {
    DERIVE_AS_IS,   /* a gauge */
    DERIVE_USAGE,   /* a counter: the stored rate times the step */
    DERIVE_RATE,    /* a counter's rate, as stored */
    DERIVE_CPU_UTIL /* percent of the VM's vcpus, not capped */
};

/* How a series comes from the columns of its file. */
struct derivation {
    const struct meter *meter;
    enum derive_how how;
    const char *unit; /* static storage */
};

/* What @name asks for; false: nothing that our meter table has (it may be another producer's). */
bool derive(struct text name, struct derivation *ret);
/* "x" of "x.rate"; false, and empty, if @name does not end so. */
bool derive_rate_of(struct text name, struct text *ret);
/* The value from @row, the columns of the meter's kind, over a step of @step_s; NAN where something is missing. */
double derive_value(const struct derivation *d, const double *row, int64_t step_s);

#endif
