#include "archive_policy.h"

#include <errno.h>
#include <string.h>

#define HOUR 3600LL
#define DAY  86400LL

/* The first line's step is the archive's own. */
static const struct archive_policy policies[] = {
    {"low", {{60, 6 * HOUR}, {300, 2 * DAY}, {HOUR, 31 * DAY}, {DAY, 366 * DAY}}, 4},
    {"medium", {{60, DAY}, {300, 5 * DAY}, {HOUR, 62 * DAY}, {DAY, 732 * DAY}}, 4},
    {"default", {{60, DAY}, {300, 5 * DAY}, {HOUR, 62 * DAY}, {DAY, 732 * DAY}}, 4},
    {"high", {{60, 7 * DAY}, {300, 31 * DAY}, {HOUR, 366 * DAY}, {DAY, 1830 * DAY}}, 4},
};

/* With a step of five minutes the second line says all that the first would. */
static void merge_first(struct archive_policy *p)
{
    if (p->lines[0].step_s != p->lines[1].step_s)
        return;
    memmove(p->lines, p->lines + 1, (p->count - 1) * sizeof p->lines[0]);
    p->count--;
}

int archive_policy(const char *name, int64_t step_s, struct archive_policy *ret)
{
    if (step_s < 1 || step_s > 300 || 300 % step_s)
        return -EINVAL;
    for (size_t i = 0; i < sizeof policies / sizeof policies[0]; i++) {
        if (strcmp(policies[i].name, name) != 0)
            continue;
        *ret = policies[i];
        ret->lines[0].step_s = step_s;
        merge_first(ret);
        return 0;
    }
    return -EINVAL;
}

const struct archive_policy_line *archive_policy_line(const struct archive_policy *policy, int64_t from_s,
                                                      int64_t last_s, int64_t step_s, bool average)
{
    for (size_t i = average ? 0 : 1; i < policy->count; i++) {
        const struct archive_policy_line *l = &policy->lines[i];
        if (l->step_s >= step_s && last_s - last_s % l->step_s - l->keep_s <= from_s)
            return l;
    }
    return &policy->lines[policy->count - 1];
}
