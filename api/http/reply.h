/* What is answered: a status, a body and a few headers. Filled by handlers, sent by the server. */
#ifndef API_HTTP_REPLY_H
#define API_HTTP_REPLY_H

#include <stddef.h>

#include "pluvio/base/buf.h"

#define REPLY_MAX_HEADERS 4

struct reply_header {
    const char *name; /* static storage */
    char *value;
};

struct reply {
    int status;               /* 0: 200 */
    const char *content_type; /* static storage; NULL: application/json */
    struct buf body;
    struct reply_header headers[REPLY_MAX_HEADERS];
    size_t header_count;
};

/* Beyond REPLY_MAX_HEADERS, out of memory, or with a control character inside, it is left out. */
void reply_header(struct reply *r, const char *name, struct text value);
void reply_free(struct reply *r);

#endif
