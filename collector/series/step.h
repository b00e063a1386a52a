/* Archive steps: what was observed in the open one, and rows when it is over. No I/O (see series.h).
 *
 * A step's value is complete when its row goes out, so that the archive has nothing to interpolate. What comes for a
 * step already out joins the open one if it is at most one step late (two readings of one moment may straddle a
 * boundary); older is lost to the archive, never to the ledger, and counted.
 */
#ifndef COLLECTOR_SERIES_STEP_H
#define COLLECTOR_SERIES_STEP_H

#include "series.h"

/* Readings further apart do not vouch for the time between them. */
#define STEP_GAUGE_REACH_MS 600000
/* After a longer silence the archive begins again; the ledger misses nothing. */
#define STEP_MAX_BACKLOG_MS (2 * 86400000LL)

/* Take in what the record at hand added; rows go out for steps that ended by @newest_ms. */
void step_apply(struct accountant *a, struct entity *e, int64_t newest_ms);
/* Send out the open step's rows as they are. */
void step_finish(struct accountant *a, struct entity *e);
bool step_has_values(const struct entity *e);

/* A finished step's value for its archive: a counter's units per second, a gauge's mean over what is known of it; NAN
 * if nothing is. */
double step_value(const struct series *s, int64_t step_ms);

#endif
