/* What ingest counts of itself, for /metrics. */
#ifndef COLLECTOR_INGEST_INGEST_FIGURES_H
#define COLLECTOR_INGEST_INGEST_FIGURES_H

#include "collector/series/series.h"
#include "pluvio/base/figures.h"

extern struct figure figure_records, figure_duplicates, figure_gaps, figure_hellos, figure_dead_letters, figure_bytes,
    figure_commits, figure_commit_failures, figure_entities, figure_partitions, figure_newest_ms, figure_acks,
    figure_readings, figure_older, figure_streams, figure_late, figure_archive_late, figure_ignored, figure_broker_down,
    figure_waiting_records, figure_waiting_outboxes;

void ingest_figures_register(void);
void ingest_figures_count(const struct series_counts *counts);

#endif
