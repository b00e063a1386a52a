/* The world: hosts with their VMs and pollers, a log, collectors over one ledger, an oracle; and time, which goes on to
 * whoever wants to be called next. Who is due at one moment is stepped in the seed's order.
 *
 * Everything that happens to them is an act of a schedule (act.h), written down before the world begins, so that a seed
 * that fails can be read.
 */
#ifndef TESTS_SIM_WORLD_H
#define TESTS_SIM_WORLD_H

#include "sim/collector_node.h"
#include "sim/disk.h"
#include "sim/fake_log.h"
#include "sim/host.h"
#include "sim/oracle.h"
#include "sim/poller_node.h"
#include "support/folder.h"

#define SIM_COLLECTORS 2
#define SIM_START_S    1764000000LL /* an hour's beginning */

enum faulty_disk { DISK_SOUND, DISK_OF_OUTBOXES, DISK_OF_LEDGER };

struct world_settings {
    uint64_t seed;
    int partitions;
    enum faulty_disk faulty;
    int64_t outbox_bytes; /* 0: more than enough */
};

struct world {
    struct world_settings settings;
    struct random_seeded random;
    int64_t now_ns, begin_ns, work_ns;
    struct buf trace; /* what happened, a line each */
    char folder[FOLDER_SIZE], ledger[512], backup[512];
    bool has_backup;
    struct fake_log log;
    struct vm vms[SIM_VMS];
    uint64_t serial;
    struct host hosts[SIM_HOSTS];
    struct poller_node pollers[SIM_HOSTS];
    struct collector_node collectors[SIM_COLLECTORS];
    bool wanted[SIM_COLLECTORS]; /* to be started as soon as the ledger is not locked */
    struct archive_shelf shelf;
    struct oracle oracle;
    int64_t skew_ms;   /* by how much clocks were set, and were apart when a VM went from one to the other */
    char failure[512]; /* empty: nothing failed that never may */
};

void world_init(struct world *w, const struct world_settings *settings);
void world_finish(struct world *w);
void world_say(struct world *w, const char *format, ...) __attribute__((format(printf, 2, 3)));
void world_fail(struct world *w, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Let time pass until @until_ns. */
void world_run(struct world *w, int64_t until_ns);
/* Every outbox is empty of what the ledger lacks, and nothing waits for a disk. */
bool world_is_quiet(struct world *w);

#endif
