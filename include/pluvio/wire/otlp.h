/* OTLP metrics, ExportMetricsServiceRequest: encode ours, decode anybody's.
 *
 * Source: opentelemetry-proto v1 (metrics.proto, common.proto, resource.proto). The decoder takes bytes from strangers:
 * overlong varints, lengths past the end, wrong wire types, nesting beyond 8 and more than the limits below are refused
 * by name; fields that no schema known here has, and metrics of other kinds than gauge and sum, are skipped and
 * counted. Of a field that is there more than once and may not be, the last one counts.
 */
#ifndef PLUVIO_WIRE_OTLP_H
#define PLUVIO_WIRE_OTLP_H

#include <stddef.h>
#include <stdint.h>

#include "pluvio/base/buf.h"
#include "pluvio/model/record.h"

#define OTLP_MAX_POINTS     20000 /* a record of ours has some dozens */
#define OTLP_MAX_ATTRIBUTES 256   /* of one resource */
#define OTLP_MAX_RESOURCES  256   /* in one request */
#define OTLP_MAX_TEXT       4096  /* a name or an attribute's text */
#define OTLP_MAX_NESTING    8

/* Why a request was refused. OTLP_FINE is 0. */
enum otlp_refusal {
    OTLP_FINE,
    OTLP_VARINT_OVERLONG,
    OTLP_TRUNCATED, /* a length or a fixed field reaches past the end */
    OTLP_WRONG_WIRE_TYPE,
    OTLP_BAD_FIELD, /* field number 0, group, or reserved wire type */
    OTLP_TOO_NESTED,
    OTLP_TOO_MANY_POINTS,
    OTLP_TOO_MANY_ATTRIBUTES,
    OTLP_TOO_MANY_RESOURCES,
    OTLP_TEXT_TOO_LONG,
    OTLP_BAD_TEXT,  /* not UTF-8, or a NUL inside */
    OTLP_NO_ENTITY, /* neither host.id nor service.instance.id */
    OTLP_BAD_TIME,  /* a point without a time, or before its start, or past the year 2200; an event past it */
    OTLP_NEGATIVE_COUNTER,
    OTLP_NO_MEMORY,
    OTLP_REFUSALS
};
const char *otlp_refusal_name(enum otlp_refusal refusal); /* "varint overlong" ... */

/* Reused from request to request; zero it first, free it last. */
struct otlp_decoder {
    struct record *records;
    size_t count, cap;
    uint64_t skipped_fields; /* unknown ones; counted over its life, as all of these */
    uint64_t skipped_metrics;
    uint64_t skipped_points; /* flagged "no recorded value" */
};

/* Fill @d->records[0 .. count) from @bytes, one record a resource; their texts point into @bytes. On refusal count is
 * 0. */
enum otlp_refusal otlp_decode(struct otlp_decoder *d, struct text bytes) __attribute__((warn_unused_result));
void otlp_decoder_free(struct otlp_decoder *d);

/* Append one request that says what @r says. Points of one meter must stand together: they share a Metric. An
 * ATTR_* attribute with a field of its own in struct record is written from that field, not from r->attributes. */
void otlp_encode(struct buf *out, const struct record *r);

#endif
