/* A Metric on the wire, of metrics.proto: its gauge or sum becomes points of a record. */
#ifndef COMMON_WIRE_OTLP_METRIC_H
#define COMMON_WIRE_OTLP_METRIC_H

#include <stddef.h>
#include <stdint.h>

#include "pluvio/wire/otlp.h"
#include "protobuf.h"

#define OTLP_YEAR_2200_NS 7258118400000000000LL

/* A request that is being read. */
struct otlp_reading {
    struct otlp_decoder *out;
    struct record *record; /* of the resource that is being read */
    struct text service;   /* its service.instance.id */
    size_t points;         /* of the whole request */
};

/* Is @f the field @number? If it is, but of another wire type, *refusal says so. */
static inline bool otlp_is_field(const struct field *f, uint32_t number, enum wire_type type,
                                 enum otlp_refusal *refusal)
{
    if (f->number != number)
        return false;
    if (f->type != type)
        *refusal = OTLP_WRONG_WIRE_TYPE;
    return true;
}

/* Add the points of a Metric to d->record. */
enum otlp_refusal otlp_read_metric(struct otlp_reading *d, struct text bytes);

#endif
