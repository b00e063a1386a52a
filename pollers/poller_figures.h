/* What the poller counts of itself. It has no server: the numbers travel in its host's record, and stand in a file for
 * node_exporter's textfile collector.
 */
#ifndef POLLERS_POLLER_FIGURES_H
#define POLLERS_POLLER_FIGURES_H

#include "inspector.h"
#include "outbox.h"
#include "pollster.h"
#include "publisher.h"

#define POLLER_FIGURES 32

struct poller_counts {
    int64_t cycles, failed_cycles, poll_ns, vms, hung, unasked, calls, unassigned, lost_records, repeated_events;
};

/* All of them under their meters' names; returns how many of POLLER_FIGURES. */
size_t poller_figures(const struct poller_counts *counts, const struct inspector_figures *inspector,
                      const struct incarnation_counts *incarnations, const struct outbox_figures *outbox,
                      const struct publisher_figures *publisher, struct poller_number *ret);

/* Write them, and who hangs, to @path in Prometheus' text form, atomically. */
int poller_figures_write(const char *path, const struct poller_word *word, struct error *error)
    __attribute__((warn_unused_result));

#endif
