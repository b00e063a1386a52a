#include "archive_policy.h"

#include <errno.h>
#include <string.h>

#define HOUR 3600LL
#define DAY  86400LL

static const struct archive_policy policies[] = {
    {"low", {{60, 6 * HOUR}, {300, 2 * DAY}, {HOUR, 31 * DAY}, {DAY, 366 * DAY}}, 4},
    {"medium", {{60, DAY}, {300, 5 * DAY}, {HOUR, 62 * DAY}, {DAY, 732 * DAY}}, 4},
    {"high", {{60, 7 * DAY}, {300, 31 * DAY}, {HOUR, 366 * DAY}, {DAY, 1830 * DAY}}, 4},
};

int archive_policy(const char *name, int64_t step_s, struct archive_policy *ret)
{
    if (step_s < 1 || step_s > 300 || 300 % step_s)
        return -EINVAL;
    for (size_t i = 0; i < sizeof policies / sizeof policies[0]; i++) {
        if (strcmp(policies[i].name, name) != 0)
            continue;
        *ret = policies[i];
        ret->lines[0].step_s = step_s;
        return 0;
    }
    return -EINVAL;
}
