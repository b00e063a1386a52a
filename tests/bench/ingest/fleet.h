/* A fleet of VMs that nobody runs: its records, as pollers would send them, cycle by cycle.
 *
 * Twenty VMs a host and outbox, one disk and one interface a VM; counters grow, gauges wander. The same (cycle, VM)
 * always gives the same bytes.
 */
#ifndef TESTS_BENCH_INGEST_FLEET_H
#define TESTS_BENCH_INGEST_FLEET_H

#include "pluvio/model/record.h"
#include "pluvio/wire/envelope.h"

#define FLEET_PARTITIONS 4
#define FLEET_CYCLE_NS   60000000000LL

struct fleet_vm {
    char uuid[40], mac[24], tap[24], name[24], domain[24], host[32], host_id[40], outbox[OUTBOX_ID_SIZE];
    char project[33], user[33];
    unsigned lane;
};

struct fleet {
    struct fleet_vm *vms;
    size_t count;
    const struct meter *meters[METERS];
    size_t meter_count;
    int64_t start_ns; /* of the streams; cycle c is read at start_ns + c * FLEET_CYCLE_NS and a little */
    struct record record;
};

/* @meters_path: a file with a meter a line; NULL: all that a VM with a balloon driver has. Ends the program on failure.
 */
void fleet_open(struct fleet *f, size_t vms, const char *meters_path, int64_t start_ns);
void fleet_close(struct fleet *f);

struct fleet_message {
    struct text key;
    int32_t partition;
    char header[ENVELOPE_SIZE]; /* pluvio-record */
};
/* Append the record of @vm in @cycle >= 1 to @value. */
void fleet_make(struct fleet *f, int64_t cycle, size_t vm, struct fleet_message *ret, struct buf *value);

#endif
