/* What travels beside the samples: record headers, hellos and acknowledgements. All text, so that kcat shows them.
 *
 * Record headers: `pluvio-wire: 1` and `pluvio-record: <outbox>/<lane>/<sequence>/<previous>`. A hello has no value
 * and, in place of pluvio-record, `pluvio-hello: <outbox>/<lane>/<last>/<host uuid>`. On the acknowledgement topic a
 * record's key names what is acknowledged and its value is JSON: key `<outbox>/<lane>`, value {"mark":N}; or key
 * `<cluster id>/<topic>/<partition>`, value {"offset":N}, N the next offset that the ledger will read.
 */
#ifndef PLUVIO_WIRE_ENVELOPE_H
#define PLUVIO_WIRE_ENVELOPE_H

#include <stdbool.h>
#include <stdint.h>

#include "pluvio/base/buf.h"

#define WIRE_VERSION   "1"
#define HEADER_WIRE    "pluvio-wire"
#define HEADER_RECORD  "pluvio-record"
#define HEADER_HELLO   "pluvio-hello"
#define OUTBOX_ID_SIZE 33  /* 32 hex digits and a NUL */
#define ENVELOPE_SIZE  192 /* any header value or key below, and a NUL */

struct envelope {
    char outbox[OUTBOX_ID_SIZE];
    unsigned lane;
    uint64_t sequence; /* of a hello: the last one made */
    uint64_t previous; /* 0: none held before it */
};

/* "<outbox>/<lane>", an acknowledgement's key and that of tables in memory. @out holds LANE_KEY_SIZE bytes, lane < 100.
 */
#define LANE_KEY_SIZE (OUTBOX_ID_SIZE + 8)
struct text lane_key(const char *outbox, unsigned lane, char *out);

/* Texts for the headers; @out holds ENVELOPE_SIZE bytes. */
struct text envelope_format(const struct envelope *e, char *out);
bool envelope_parse(struct text t, struct envelope *ret); /* lane < RECORD_LANES, 32 hex digits, sequence > previous */
struct text hello_format(const struct envelope *e, struct text host_uuid, char *out);
bool hello_parse(struct text t, struct envelope *ret, struct text *ret_host_uuid); /* sequence may be 0 */

enum ack_kind { ACK_MARK, ACK_OFFSET };
struct ack {
    enum ack_kind kind;
    char outbox[OUTBOX_ID_SIZE]; /* ACK_MARK */
    unsigned lane;
    uint64_t mark;
    char cluster[128]; /* ACK_OFFSET */
    char topic[256];
    int32_t partition;
    int64_t offset;
};
/* Append key and value of @a. */
void ack_format(const struct ack *a, struct buf *key, struct buf *value);
bool ack_parse(struct text key, struct text value, struct ack *ret);

#endif
