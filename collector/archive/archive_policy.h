/* How long which resolution is kept, and which of them answers a question. Pure.
 *
 * A policy is some lines "this step, for so long"; the first is the archive's own step. AVERAGE is kept of all, MIN and
 * MAX of those coarser than the first. Named for how much they keep: low, medium (also called default), high.
 */
#ifndef COLLECTOR_ARCHIVE_ARCHIVE_POLICY_H
#define COLLECTOR_ARCHIVE_ARCHIVE_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ARCHIVE_POLICY_LINES 4

struct archive_policy_line {
    int64_t step_s, keep_s;
};
struct archive_policy {
    const char *name;
    struct archive_policy_line lines[ARCHIVE_POLICY_LINES];
    size_t count;
};

/* The policy @name with @step_s (a divisor of 300) as its finest step; -EINVAL if there is no such name or step. */
int archive_policy(const char *name, int64_t step_s, struct archive_policy *ret) __attribute__((warn_unused_result));

/* The finest line of at least @step_s (0: any) that still holds @from_s when the newest row ends at @last_s; the
 * coarsest where none does. @average: else MIN or MAX, which the first line has not. */
const struct archive_policy_line *archive_policy_line(const struct archive_policy *policy, int64_t from_s,
                                                      int64_t last_s, int64_t step_s, bool average);

#endif
