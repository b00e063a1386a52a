/* Day sums by owner and meter, gathered in memory over a transaction and then added to the file's. */
#ifndef COLLECTOR_LEDGER_DAY_SUM_H
#define COLLECTOR_LEDGER_DAY_SUM_H

#include <stddef.h>
#include <stdint.h>

#include "pluvio/base/wide.h"
#include "pluvio/store/db.h"

struct day_sum {
    int64_t day_ms, owner, meter;
    bool used;
    wide quantity;
    int64_t covered_ms;
};
struct day_sums {
    struct day_sum *slots;
    size_t count, cap;
};

int day_sums_add(struct day_sums *d, int64_t day_ms, int64_t owner, int64_t meter, wide quantity, int64_t covered_ms)
    __attribute__((warn_unused_result));
void day_sums_write(struct day_sums *d, struct db *db); /* and empties @d */
void day_sums_clear(struct day_sums *d);
void day_sums_free(struct day_sums *d);

/* A 128-bit quantity in two columns: high * 2^62 + low. */
static inline wide wide_join(int64_t high, int64_t low)
{
    return ((wide)high << 62) + low;
}
static inline int64_t wide_high(wide value)
{
    return (int64_t)(value >> 62);
}
static inline int64_t wide_low(wide value)
{
    return (int64_t)(value & (((wide)1 << 62) - 1));
}

#endif
