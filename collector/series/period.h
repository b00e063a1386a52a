/* The ledger's periods: usage into the open one, late usage into finished ones, and finishing. No I/O (see series.h).
 */
#ifndef COLLECTOR_SERIES_PERIOD_H
#define COLLECTOR_SERIES_PERIOD_H

#include "series.h"

/* Account what the record at hand added, up to @newest_ms; the open period moves on if that lies behind its end. */
void period_apply(struct accountant *a, struct entity *e, int64_t newest_ms);

/* Finish the open period, whatever was seen of it; the next one is open then. */
void period_finish(struct accountant *a, struct entity *e, int64_t next_open_ms);

/* Streams that will hardly grow again go from memory into their own rows. */
void period_park(struct accountant *a, struct entity *e);

/* Is there usage in the open period? */
bool period_has_usage(const struct entity *e);

#endif
