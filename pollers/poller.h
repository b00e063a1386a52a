/* The poller as one step: readings and events in, records to the outbox, the outbox to Kafka.
 *
 * No thread and no clock of its own: whatever may block does so behind a port. Readings, the incarnations that they
 * changed and the records they made are one transaction of the outbox (rule R1); with a disk that refuses they wait in
 * memory and are stored when it heals.
 */
#ifndef POLLERS_POLLER_H
#define POLLERS_POLLER_H

#include "discovery.h"
#include "inspector.h"
#include "outbox.h"
#include "pluvio/base/clock.h"
#include "pollster.h"
#include "publisher.h"

struct poller_settings {
    int64_t interval_ns;
    struct discovery discovery; /* its texts are borrowed, as all here: they outlive the poller or the next configure */
    const struct label *labels;
    size_t label_count;
    const bool *wanted;      /* METERS of them; NULL: all */
    const int64_t *every_ns; /* METERS of them: read no more often than that; NULL: all at each interval */
    struct selection devices;
    const char *textfile; /* the poller's own figures, for node_exporter; NULL: none */
    const char *topic;
    int64_t in_flight_bytes, bytes_per_second; /* as in publisher.h */
};

struct poller_ports {
    struct clock *clock;
    struct random *random;
    struct inspector *inspector; /* not owned, as all of them */
    struct outbox *outbox;
    struct publisher_ports publisher;
    const char *boot_id; /* of the host, needed in poller_create only; NULL: the first list will say */
    /* The host is named now: hold it against other pollers. NULL: nobody else is there. -EBUSY ends the step. */
    int (*claim)(void *context, const char *host_uuid, struct error *error);
    void *context;
};

struct poller;
/* Reads what the outbox's file remembers of this host. */
int poller_create(struct poller **ret, const struct poller_settings *settings, const struct poller_ports *ports,
                  struct error *error) __attribute__((warn_unused_result));
void poller_destroy(struct poller *p); /* takes NULL; what is not stored is read again at the next start */

/* Other settings from now on (topic and rates stay). */
void poller_configure(struct poller *p, const struct poller_settings *settings);

/* Do what is due; returns the boot time at which it wants to be called again. A readable descriptor of the inspector's
 * is another reason. -EXDEV: the outbox is another host's; -EBUSY: another poller reads this host; @error
 * says what to do. */
int poller_step(struct poller *p, int64_t *ret_wake_boot_ns, struct error *error) __attribute__((warn_unused_result));

/* For SIGTERM: hand over what is stored, at most @timeout_ms. */
void poller_finish(struct poller *p, int timeout_ms);

#endif
