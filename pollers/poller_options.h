/* The poller's options: one table that the file, the command line, --help and the reference are read from. */
#ifndef POLLERS_POLLER_OPTIONS_H
#define POLLERS_POLLER_OPTIONS_H

#include "pluvio/config/schema.h"
#include "poller.h"
#include "publisher_rdkafka.h"

struct poller_options {
    char *state, *libvirt, *topic, *ack_topic, *default_project, *project_namespace, *project_element;
    struct option_map kafka, labels, intervals;
    struct option_list meters, devices;
    struct option_rows projects;
    int64_t interval_ms;
    int64_t outbox_size, outbox_keep_ms, outbox_memory, in_flight, rate;
    int log_level, log_format;
    bool once, explain; /* command line only */
};

extern const struct schema poller_schema, poller_switches;

/* What the options mean for the parts. The texts stay the options'; the arrays are freed with poller_choice_free. */
struct poller_choice {
    struct poller_settings poller;
    struct publisher_rdkafka kafka;
    bool remote; /* the hypervisor is another host's */
    bool wanted[METERS];
    int64_t every_ns[METERS];
    struct label *labels;
    struct discovery_rule *rules;
    struct kafka_property *properties;
};
/* Of options that the schema's check let pass. 0 or -ENOMEM. */
int poller_choose(const struct poller_options *o, struct poller_choice *ret) __attribute__((warn_unused_result));
void poller_choice_free(struct poller_choice *c);

#endif
