/* The same work done by the libraries alone, in the same run: what ingest cannot be faster than while it uses them. CPU
 * nanoseconds of the whole process for each of @records records.
 */
#ifndef TESTS_BENCH_INGEST_PEERS_H
#define TESTS_BENCH_INGEST_PEERS_H

#include <stddef.h>
#include <stdint.h>

#include "fleet.h"

/* librdkafka fetches the topic to its end and throws it away. */
double peer_fetch(const char *bootstrap, const char *topic, int64_t records);
/* SQLite upserts the ledger's packed rows into a file of its own (WAL, synchronous=FULL), @rows a commit. */
double peer_sqlite(const char *ledger_path, const char *path, int64_t commits, int64_t rows, int64_t records);
/* librrd writes 60 more rows of each of @vms VMs' archives, 30 a call. A record is a row of each of a VM's files. */
double peer_librrd(const char *archives, const struct fleet *fleet, size_t vms);

#endif
