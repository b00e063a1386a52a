/* The publisher: moves records from the outbox to Kafka and the ledger's word back. A step, not a thread.
 *
 * Bounded in flight (bytes unreleased per partition), so that an embedded broker, which forgets beyond some 5 MB a
 * partition, never forgets what the ledger has not read. Follows a broker's address through a file when told to.
 */
#ifndef POLLERS_PUBLISHER_H
#define POLLERS_PUBLISHER_H

#include "outbox.h"
#include "pluvio/kafka/kafka_log.h"

struct publisher_ports {
    /* Open handles on the broker as it is known now. -ENOENT: no address yet. */
    int (*open_writer)(void *context, struct writer **ret, struct error *error);
    int (*open_acks)(void *context, struct reader **ret, struct error *error);
    /* True when the address has changed since the handles were opened: they are made anew. */
    bool (*moved)(void *context);
    void *context;
};

struct publisher_settings {
    const char *topic;
    const char *host_uuid;    /* for hellos */
    int64_t in_flight_bytes;  /* per partition, default 1 MiB */
    int64_t bytes_per_second; /* drain rate bound; 0: none */
};

struct publisher;
int publisher_create(struct publisher **ret, const struct publisher_settings *settings,
                     const struct publisher_ports *ports, struct outbox *outbox) __attribute__((warn_unused_result));
void publisher_destroy(struct publisher *p); /* takes NULL */
/* Do what is to be done without blocking longer than some ms; returns when (boot ns) it wants to be called again. */
int64_t publisher_step(struct publisher *p, int64_t now_boot_ns, int64_t now_wall_ns);
/* For SIGTERM: hand over what is stored for at most @timeout_ms; nothing is lost if it fails. */
void publisher_flush(struct publisher *p, int timeout_ms);

struct publisher_figures {
    bool connected;
    uint64_t produced, delivered, failed, resends, hellos, acks;
    uint64_t in_flight_bytes;
    int64_t last_ack_boot_ns;
};
void publisher_figures(const struct publisher *p, struct publisher_figures *ret);

#endif
