/* How long which resolution is kept. Pure.
 *
 * A policy is some lines "this step, for so long"; the first is the archive's own step. AVERAGE is kept of all, MIN and
 * MAX of those coarser than the first. Named for how much they keep: low, medium (the default), high.
 */
#ifndef COLLECTOR_ARCHIVE_ARCHIVE_POLICY_H
#define COLLECTOR_ARCHIVE_ARCHIVE_POLICY_H

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

/* The policy @name with @step_s (1 .. 300) as its finest step; -EINVAL if there is no such name or step. */
int archive_policy(const char *name, int64_t step_s, struct archive_policy *ret) __attribute__((warn_unused_result));

#endif
