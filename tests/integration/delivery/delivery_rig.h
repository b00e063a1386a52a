/* One process from an outbox to the ledger, stepped by hand: outbox, publisher, broker, ingest, ledger. Its clock goes
 * with the system's and jumps ahead when nothing moves, so that nobody waits for a timeout.
 */
#ifndef TESTS_INTEGRATION_DELIVERY_DELIVERY_RIG_H
#define TESTS_INTEGRATION_DELIVERY_DELIVERY_RIG_H

#include "collector/ingest/ingest.h"
#include "pluvio/base/wide.h"
#include "pollers/publisher.h"
#include "support/fake_archive/fake_archive.h"
#include "support/folder.h"
#include "support/kafka/kafka_broker.h"

#define VMS        40
#define PARTITIONS 3

struct delivery_rig {
    struct error trouble; /* the last one that an ingest step had */
    struct kafka_broker broker;
    char folder[FOLDER_SIZE], outbox_path[FOLDER_SIZE + 16], ledger_path[FOLDER_SIZE + 16];
    const char *ledger_vfs;
    struct outbox *outbox;
    struct publisher *publisher;
    struct ledger *ledger;
    struct fake_archive *archive;
    struct ingest *ingest;
    unsigned publisher_on; /* the broker's start that its handles belong to */
    struct clock clock;
    int64_t ahead_ns;
    /* What was put in. */
    int64_t base_ns;
    int records;
    int64_t cpu[VMS];
    wide cpu_total, disk_total;
    struct random_seeded random;
};

extern struct delivery_rig rig;
void delivery_rig_set_up(void); /* a running broker, and everything on it */
void delivery_rig_tear_down(void);

/* Store @count more records. Each carries a counter that goes on, and a stream of its own that nothing else tells. */
void make_records(int count);
/* Let all parts have some turns. */
void pump(int turns);
/* Pump until the outbox is drained and the ledger says exactly what was put in; fails after a minute. Then audits. */
void drain(void);
/* The ledger's sum of what was put in so far. */
wide booked(const char *meter);

void publisher_kill(void);
void publisher_start(void);
/* As kill -9: nothing is committed, the group is not left. The ledger's file is closed. */
void ingest_kill(void);
void ingest_start(void);
/* Where the broker comes back at another address, the collector beside it is a new one too. */
void broker_away(void (*how)(struct kafka_broker *b));
void broker_back(void (*how)(struct kafka_broker *b));

/* Of the ledger's file, while ingest is down. */
void ledger_copy(const char *name);
void ledger_restore(const char *name);

#endif
