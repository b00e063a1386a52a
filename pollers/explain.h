/* `pluvio-poller --once --explain`: which meters this host gives, which it does not, and how to have those. */
#ifndef POLLERS_EXPLAIN_H
#define POLLERS_EXPLAIN_H

#include <stdio.h>

#include "poller_options.h"

/* 0 or -ENOMEM. */
int explain(const struct snapshot *s, const struct poller_choice *choice, int64_t now_s, FILE *out)
    __attribute__((warn_unused_result));

#endif
