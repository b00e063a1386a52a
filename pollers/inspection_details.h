/* What a snapshot gets beside the statistics: metadata from the XML, the process behind each domain, its taps' indices;
 * and for drivers whose bulk call is poor the figures, domain by domain.
 */
#ifndef POLLERS_INSPECTION_DETAILS_H
#define POLLERS_INSPECTION_DETAILS_H

#include "inspection.h"

struct ask;

/* An idle worker; NULL with @error: all hang. */
struct inspect_worker *inspection_worker(struct inspection *in, struct error *error);
/* Put @ask to an idle worker and wait. 0: it is answered and the caller's again; else it is gone. */
int inspection_ask(struct inspection *in, struct ask *ask, int64_t deadline_boot_ns, struct error *error)
    __attribute__((warn_unused_result));

/* @s was read over @connection. Only want of memory fails; what cannot be had in time stays absent, or as it was. */
int inspection_details(struct inspection *in, struct snapshot *s, unsigned groups, uint64_t connection,
                       int64_t deadline_boot_ns, struct error *error) __attribute__((warn_unused_result));

#endif
