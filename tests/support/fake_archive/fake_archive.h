/* The archive port in memory: confirmed rows stand in a list for a test to look at. One thread.
 *
 * It holds its caller to the port's order (add ... seal, then confirm or forget) by aborting, and fails where told to.
 */
#ifndef TESTS_SUPPORT_FAKE_ARCHIVE_H
#define TESTS_SUPPORT_FAKE_ARCHIVE_H

#include "collector/archive/archive.h"

struct fake_row {
    char *resource, *meter; /* NUL-terminated, owned; meter is "" but for RESOURCE_OTHER */
    enum resource_kind kind;
    int64_t step_end_s;
    double values[ARCHIVE_MAX_COLUMNS];
    uint64_t commit; /* the ledger's that confirmed it */
};

struct fake_archive {
    struct archive port; /* first: pass &fake->port */
    struct fake_row *rows;
    size_t confirmed; /* so many of the first rows are confirmed, in their order; the others wait */
    size_t count, cap;
    bool sealed;
    uint64_t sealed_commit, last_commit;
    int fail_seal; /* negative errno: what the next seal returns, once */
    int fail_add;  /* the same for the next add */
};

/* The port's destroy frees it. Aborts when out of memory. */
struct fake_archive *fake_archive_make(void);

/* The confirmed row of @resource that ends at @step_end_s, or NULL. */
const struct fake_row *fake_archive_find(const struct fake_archive *a, const char *resource, const char *meter,
                                         int64_t step_end_s);
/* A meter's value there; NAN where there is no such row. @meter: of our table. */
double fake_archive_value(const struct fake_archive *a, const char *resource, enum meter_id meter, int64_t step_end_s);

#endif
