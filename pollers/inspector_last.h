/* What a guest still tells when its end is near: a save and a migration pause it some time before its process goes, and
 * with the process all that it counted since the last reading. In between libvirt answers now and then, for the job has
 * the monitor most of the time. So who was paused is asked every LAST_RETRY_NS until it has answered once.
 */
#ifndef POLLERS_INSPECTOR_LAST_H
#define POLLERS_INSPECTOR_LAST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "inspector.h"
#include "pluvio/base/clock.h"

#define LAST_MAX         64 /* more at once are paused without being asked */
#define LAST_RETRY_NS    (10 * NS_PER_MS)
#define LAST_PATIENCE_NS (3 * NS_PER_S) /* after the pause */

/* Who was paused, and the thread with a connection of its own that asks them: a guest that hangs costs this and nothing
 * else. One thread asks, awaits and takes; all but last_reader_await under the owner's lock. */
struct last_reader;
int last_reader_create(struct last_reader **ret, const char *uri, struct clock *clock)
    __attribute__((warn_unused_result));
void last_reader_destroy(struct last_reader *r); /* takes NULL */

/* @e told that its domain was paused. */
void last_reader_add(struct last_reader *r, const struct lifecycle_event *e);
/* In how many ns to ask and await; INT64_MAX: nobody is to be asked. */
int64_t last_reader_due_ns(const struct last_reader *r);
void last_reader_ask(struct last_reader *r);
/* True: it is over, take what was answered, if anything. Waits LAST_RETRY_NS at most, and changes nothing that the
 * others look at. */
bool last_reader_await(struct last_reader *r);
/* One of those who answered, the caller's to free by domain_stats_free(d, 1), until NULL. */
struct domain_stats *last_reader_take(struct last_reader *r);

#endif
