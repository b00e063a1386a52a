/* The read sides of ledger and archive, made up: what they were asked, and what they answer. */
#ifndef TESTS_UNIT_V1_FAKE_READS_H
#define TESTS_UNIT_V1_FAKE_READS_H

#include "pluvio/archive/archive_query.h"
#include "pluvio/ledger/ledger_query.h"

struct fake_reads {
    int fails;         /* every call fails with this code, if not 0 */
    const char *error; /* and this text */
    size_t rows;       /* how many are answered */
    bool more;         /* and there is a next page */
    uint64_t mismatches;
    uint64_t commit;
    /* What the newest call asked for. */
    struct usage_query usage;
    struct series_query series;
    char project[64], kind[64], entity[64], id[64], after[64], meter[64];
    int64_t dead_letters_after;
    size_t limit;
};
extern struct fake_reads fake;

#endif
