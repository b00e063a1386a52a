/* Records as JSON lines, for people: what `pluvio decode` prints. Pure. */
#ifndef PLUVIO_WIRE_WIRE_PRINT_H
#define PLUVIO_WIRE_WIRE_PRINT_H

#include "pluvio/base/buf.h"
#include "pluvio/model/record.h"

/* Append one line (with its newline): {"entity":..,"attributes":{..},"event":..,"points":[{"meter","unit","type",
 * "device","stream","start","time","value","ended"}]}. Times are RFC 3339; 64-bit integers are printed in full. */
void wire_print_record(struct buf *out, const struct record *r);

/* Append @t as a JSON string with its quotes; bytes that are not UTF-8 become U+FFFD. */
void json_add_string(struct buf *out, struct text t);

#endif
