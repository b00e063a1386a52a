/* OTLP messages made field by field, right ones and wrong ones. */
#ifndef TESTS_UNIT_WIRE_MESSAGE_H
#define TESTS_UNIT_WIRE_MESSAGE_H

#include "common/wire/protobuf.h"

#define MESSAGE_DEPTH 8

/* Field numbers from the request down to a message; 0 ends them. */
#define IN_REQUEST          0
#define IN_RESOURCE_METRICS 1, 0
#define IN_RESOURCE         1, 1, 0
#define IN_ATTRIBUTE        1, 1, 1, 0
#define IN_ATTRIBUTE_VALUE  1, 1, 1, 2, 0
#define IN_SCOPE_METRICS    1, 2, 0
#define IN_METRIC           1, 2, 2, 0
#define IN_GAUGE            1, 2, 2, 5, 0
#define IN_SUM              1, 2, 2, 7, 0
#define IN_GAUGE_POINT      1, 2, 2, 5, 1, 0
#define IN_SUM_POINT        1, 2, 2, 7, 1, 0
#define IN_POINT_ATTRIBUTE  1, 2, 2, 5, 1, 7, 0

/* Append messages nested as @path says, around @content. */
void message_wrap(struct buf *out, const unsigned *path, struct text content);

/* A KeyValue with a text as field @number. */
void message_attribute(struct buf *out, uint32_t number, const char *key, struct text value);
/* A NumberDataPoint as field 1: its time, and @value if @has_value. */
void message_point(struct buf *out, bool has_value, int64_t value);
/* A ResourceMetrics as field 1 of a request: its resource is "vm", its scope holds @metrics (fields of ScopeMetrics).
 */
void message_resource(struct buf *out, struct text metrics);
/* A Metric as field 2 of a scope: named @name, @data its field @kind. */
void message_metric(struct buf *out, const char *name, uint32_t kind, struct text data);

#endif
