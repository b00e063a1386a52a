/* The collector's options: one table that the file, the command line, --help and the reference are read from. */
#ifndef COLLECTOR_COLLECTOR_OPTIONS_H
#define COLLECTOR_COLLECTOR_OPTIONS_H

#include "collector.h"
#include "pluvio/config/schema.h"

struct collector_options {
    char *state, *listen, *topic, *ack_topic, *group;
    struct option_map kafka;
    int64_t partitions, workers;
    int64_t period_ms, late_ms, future_ms, grace_ms, takeover_ms;
    int64_t step_ms, flush_rows, flush_age_ms, archive_memory, journal_size;
    int policy;
    int log_level, log_format;
};

extern const struct schema collector_schema;

/* What the options mean for the parts, of options that the schema's check let pass; texts stay the options',
 * @ret_properties is the caller's to free. 0 or -ENOMEM. */
int collector_choose(const struct collector_options *o, struct collector_settings *ret,
                     struct kafka_property **ret_properties) __attribute__((warn_unused_result));

#endif
