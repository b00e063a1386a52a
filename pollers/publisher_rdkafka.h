/* The publisher's ports on librdkafka: a cluster's bootstrap servers, or an embedded broker whose address stands in a
 * file that is followed when it changes.
 */
#ifndef POLLERS_PUBLISHER_RDKAFKA_H
#define POLLERS_PUBLISHER_RDKAFKA_H

#include "pluvio/kafka/log_rdkafka.h"
#include "publisher.h"

#define ADDRESS_FILE_PREFIX "file:"

struct publisher_rdkafka {
    const char *bootstrap; /* "host:port,...", or "file:PATH"; borrowed, as all of these */
    const char *client_id, *ack_topic;
    const struct kafka_property *properties;
    size_t property_count;
    char address[512]; /* that the open handles are for */
};

/* Ports over @k, which must outlive them. */
struct publisher_ports publisher_rdkafka_ports(struct publisher_rdkafka *k);

#endif
