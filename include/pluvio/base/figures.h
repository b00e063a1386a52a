/* A program's own counters and gauges, shown in Prometheus' text form. Any thread adds; registering is for the start.
 *
 *     static struct figure records = {.name = "pluvio_ingest_records_total", .help = "Records read.", ...};
 *     figure_register(&records);   figure_add(&records, 1);
 */
#ifndef PLUVIO_BASE_FIGURES_H
#define PLUVIO_BASE_FIGURES_H

#include <stdatomic.h>
#include <stdint.h>

#include "pluvio/base/buf.h"

enum figure_type { FIGURE_COUNTER, FIGURE_GAUGE };

struct figure {
    const char *name;   /* "pluvio_..._total" for counters */
    const char *labels; /* "reason=\"late\"", or NULL */
    const char *help;   /* of figures with one name the first one's is shown */
    enum figure_type type;
    _Atomic int64_t value;
    struct figure *next; /* the registry's */
};

/* Static storage; a figure that is registered already stays once. Figures of one name must be registered in a row. */
void figure_register(struct figure *f);

static inline void figure_add(struct figure *f, int64_t n)
{
    atomic_fetch_add_explicit(&f->value, n, memory_order_relaxed);
}
static inline void figure_set(struct figure *f, int64_t value)
{
    atomic_store_explicit(&f->value, value, memory_order_relaxed);
}

/* Append all of them, in the order of registering. */
void figures_print(struct buf *out);

#endif
