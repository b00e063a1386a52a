/* What is not stored but follows from what is: "<counter>.rate", "cpu_util". Pure. */
#ifndef COLLECTOR_ARCHIVE_DERIVE_H
#define COLLECTOR_ARCHIVE_DERIVE_H

#include <stdbool.h>

#include "pluvio/archive/archive_layout.h"
#include "pluvio/base/buf.h"

/* How a series comes from the columns of its file. */
struct derivation {
    const struct meter *meter; /* NULL: another producer's, in a file of its own */
    enum { DERIVE_AS_IS, DERIVE_USAGE, DERIVE_RATE, DERIVE_CPU_UTIL } how;
    const char *unit;
    struct text name; /* the stored meter's */
};

/* What @name asks for; false: no meter of ours (it may be another producer's, or its .rate). */
bool derive(struct text name, struct derivation *ret);
/* A row's value; NAN where something is missing. */
double derive_value(const struct derivation *d, const double *row, int64_t step_s);

#endif
