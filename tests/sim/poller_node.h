/* A poller's process in the simulation: the real poller over its outbox's file, a host's inspector and the fake log. */
#ifndef TESTS_SIM_POLLER_NODE_H
#define TESTS_SIM_POLLER_NODE_H

#include "pollers/poller.h"
#include "sim/fake_log.h"
#include "sim/host.h"

#define SIM_INTERVAL_NS (10 * NS_PER_S)

struct poller_node {
    struct host *host;
    struct fake_log *log;
    struct random *random;
    char path[512];
    const char *vfs;
    int64_t max_bytes; /* of the outbox */
    unsigned address;  /* of the broker that the handles are for */
    struct outbox *outbox;
    struct poller *poller; /* NULL: it is down */
    int64_t wake_ns;
    bool disk_refuses;
    uint64_t resends; /* of the runs that are over */
};

/* 0, or why it cannot (a disk that refuses). */
int poller_node_start(struct poller_node *n, struct error *error);
int poller_node_step(struct poller_node *n, struct error *error);
void poller_node_crash(struct poller_node *n); /* kill -9 */
void poller_node_stop(struct poller_node *n);  /* SIGTERM */
/* Everything is stored, and the ledger has it. */
bool poller_node_is_drained(struct poller_node *n);

#endif
