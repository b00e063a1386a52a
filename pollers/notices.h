/* What the log says of readings: each once when it begins, and once when it is over. */
#ifndef POLLERS_NOTICES_H
#define POLLERS_NOTICES_H

#include "hung.h"
#include "inspector.h"

/* Zero it first. */
struct notices {
    struct hung hung;
    enum monitors monitors; /* as of the newest reading */
    unsigned blind;         /* readings in a row in which no process could be seen */
};

/* One VM of a reading. */
void notices_see(struct notices *n, const struct domain_stats *d);
/* All of them were seen. */
void notices_listed(struct notices *n, const struct snapshot *s);

#endif
