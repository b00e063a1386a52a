#include "ingest_figures.h"

#define COUNTER(variable, metric, words)                                                                               \
    struct figure figure_##variable = {.name = "pluvio_ingest_" metric, .help = words, .type = FIGURE_COUNTER}
#define GAUGE(variable, metric, words)                                                                                 \
    struct figure figure_##variable = {.name = "pluvio_ingest_" metric, .help = words, .type = FIGURE_GAUGE}

COUNTER(records, "records_total", "Records taken into the ledger.");
COUNTER(duplicates, "duplicate_records_total", "Records that the ledger had already.");
COUNTER(gaps, "gap_records_total", "Records whose predecessor in their lane had not come in yet.");
COUNTER(hellos, "hellos_total", "Idle lanes that asked for their mark.");
COUNTER(waiting_records, "waiting_records_total", "Records of outboxes that wait; they come again.");
GAUGE(waiting_outboxes, "waiting_outboxes", "Outboxes that are not their host's current one.");
COUNTER(dead_letters, "dead_letters_total", "Records set aside, with their reason in the ledger.");
COUNTER(bytes, "bytes_total", "Bytes of record values read.");
COUNTER(commits, "commits_total", "Transactions of the ledger.");
COUNTER(commit_failures, "commit_failures_total", "Transactions undone; their records are read again.");
GAUGE(entities, "entities", "VMs, hosts and others in memory.");
GAUGE(partitions, "partitions", "Partitions that this collector reads.");
GAUGE(newest_ms, "newest_reading_milliseconds", "Time of the newest reading taken in, since the epoch.");
GAUGE(broker_down, "broker_down", "1: no broker answered last, and nothing was read since.");
COUNTER(acks, "acks_total", "Acknowledgements published.");
COUNTER(readings, "readings_total", "Meter samples accounted.");
COUNTER(older, "older_readings_total", "Readings that said nothing new.");
COUNTER(streams, "streams_total", "Streams that began.");
COUNTER(late, "late_usage_total", "Pieces of usage booked to finished periods.");
COUNTER(archive_late, "archive_late_total", "Readings too late for their archive step; the ledger has them.");
COUNTER(ignored, "ignored_readings_total", "Readings that contradict their stream or meter.");

void ingest_figures_register(void)
{
    static struct figure *const all[] = {&figure_records,     &figure_duplicates,      &figure_gaps,
                                         &figure_hellos,      &figure_dead_letters,    &figure_bytes,
                                         &figure_commits,     &figure_commit_failures, &figure_entities,
                                         &figure_partitions,  &figure_newest_ms,       &figure_acks,
                                         &figure_readings,    &figure_older,           &figure_streams,
                                         &figure_late,        &figure_archive_late,    &figure_ignored,
                                         &figure_broker_down, &figure_waiting_records, &figure_waiting_outboxes};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        figure_register(all[i]);
}

void ingest_figures_count(const struct series_counts *c)
{
    figure_set(&figure_readings, (int64_t)c->readings);
    figure_set(&figure_older, (int64_t)c->older);
    figure_set(&figure_streams, (int64_t)c->streams);
    figure_set(&figure_late, (int64_t)c->late);
    figure_set(&figure_archive_late, (int64_t)c->archive_late);
    figure_set(&figure_ignored, (int64_t)c->ignored);
}
