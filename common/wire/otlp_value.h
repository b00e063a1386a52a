/* Attributes on the wire: KeyValue and AnyValue of common.proto. Only scalars mean something here; lists, maps and byte
 * strings are walked, to refuse what is broken or nested too deep, and are then an attribute without a text.
 */
#ifndef COMMON_WIRE_OTLP_VALUE_H
#define COMMON_WIRE_OTLP_VALUE_H

#include <stddef.h>
#include <stdint.h>

#include "pluvio/wire/otlp.h"

/* What an AnyValue is to us; of a oneof that is there more than once the last one counts, as everywhere in protobuf. */
enum any_kind { ANY_NONE, ANY_TEXT, ANY_BOOL, ANY_INT, ANY_DOUBLE, ANY_NESTED };
struct any {
    enum any_kind kind;
    struct text text; /* ANY_TEXT, else empty; points into the message */
    uint64_t number;  /* ANY_BOOL, ANY_INT, ANY_DOUBLE: its bits */
};

/* A name or an attribute's text: UTF-8 without NUL, OTLP_MAX_TEXT at most. */
enum otlp_refusal otlp_check_text(struct text t);
/* A KeyValue. *skipped grows by the fields that are not known. */
enum otlp_refusal otlp_read_pair(struct text bytes, struct text *ret_key, struct any *ret_value, uint64_t *skipped);
/* As text; numbers are printed into @room. */
struct text otlp_any_text(const struct any *a, char *room, size_t size);

#endif
