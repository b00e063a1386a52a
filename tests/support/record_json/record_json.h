/* A record as one line of JSON with every field of it, doubles as their bits: what tests compare, where wire_print
 * leaves out what a person does not miss.
 */
#ifndef TESTS_SUPPORT_RECORD_JSON_H
#define TESTS_SUPPORT_RECORD_JSON_H

#include <stdbool.h>

#include "pluvio/base/buf.h"
#include "pluvio/model/record.h"

enum record_json_attributes {
    RECORD_JSON_ALL,   /* as the decoder leaves them */
    RECORD_JSON_OTHERS /* without those that have a field of their own, as the encoder is given them */
};
void record_json(struct buf *out, const struct record *r, enum record_json_attributes attributes);

/* Have @a and @b the same to say? (event_time_ns counts with an event only.) */
bool record_same(const struct record *a, const struct record *b);

#endif
