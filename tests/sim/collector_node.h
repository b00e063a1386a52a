/* A collector's process in the simulation: the real ingest over the ledger's file, a fake archive and the fake log. */
#ifndef TESTS_SIM_COLLECTOR_NODE_H
#define TESTS_SIM_COLLECTOR_NODE_H

#include "collector/ingest/ingest.h"
#include "sim/fake_clock.h"
#include "sim/fake_log.h"
#include "support/fake_archive/fake_archive.h"

#define SIM_PERIOD_MS 300000
#define SIM_STEP_MS   60000
#define SIM_ARCHIVES  256

/* What outlives a collector's process: the archives that all of them wrote. */
struct archive_shelf {
    struct fake_archive *archives[SIM_ARCHIVES];
    size_t count;
};

struct collector_node {
    struct fake_clock clock;
    struct fake_log *log;
    struct random *random;
    struct archive_shelf *shelf;
    const char *path, *vfs;
    int number;
    struct ledger *ledger;
    struct fake_archive *archive;
    struct ingest *ingest; /* NULL: it is down */
    bool paused;           /* SIGSTOP */
    int64_t wake_ns;
    uint64_t undone, stale; /* steps that failed; that failed since the ledger had been taken over */
};

int collector_node_start(struct collector_node *n, struct error *error);
/* 0; -ESTALE: it saw that the ledger was taken over, and has ended. */
int collector_node_step(struct collector_node *n, struct error *error);
void collector_node_crash(struct collector_node *n);
void collector_node_stop(struct collector_node *n);
void archive_shelf_free(struct archive_shelf *s);

#endif
