/* Whose word on a host counts: that of one outbox, until it is silent and another one speaks.
 *
 * Two pollers on one host would bill everything twice, as each counts in streams of its own. So the first outbox that
 * is heard of a host is its current one. Another one of the same host waits: its records are not accounted and not
 * acknowledged, so its poller keeps them. It becomes the current one once the other has been silent for `takeover`;
 * what counters did until the other's newest reading stays the other's (accountant.since_ms).
 *
 * Silence is measured by the boot clock, and after a start from the start. The state is the ledger's; after a
 * transaction that failed, load again. One thread.
 */
#ifndef COLLECTOR_INGEST_HOSTS_H
#define COLLECTOR_INGEST_HOSTS_H

#include "collector/ledger/ledger.h"

struct hosts;
struct hosts *hosts_create(struct ledger *ledger, int64_t takeover_ns); /* NULL: out of memory */
void hosts_destroy(struct hosts *h);                                    /* takes NULL */

/* What the ledger knows; every current outbox counts as heard @now_ns. Where it fails nobody is admitted until it
 * succeeds. */
int hosts_load(struct hosts *h, int64_t now_ns, struct error *error) __attribute__((warn_unused_result));

/* In a transaction: @outbox of @host spoke (an empty @host: nobody says whose it is, and it is admitted). True: its
 * word counts, from @ret_since_ms on. False: it waits, or the transaction has failed. */
bool hosts_admit(struct hosts *h, const char *outbox, struct text host, int64_t now_ns, int64_t *ret_since_ms);

#endif
