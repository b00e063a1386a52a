/* HTTP as bytes on a socket: sends exactly what a test says, and takes the answer apart only as far as tests look. */
#ifndef TESTS_UNIT_HTTP_RAW_CLIENT_H
#define TESTS_UNIT_HTTP_RAW_CLIENT_H

#include <stdbool.h>

#include "pluvio/base/buf.h"

#define RAW_WAIT_S 20 /* a read that takes longer fails */

struct raw_answer {
    struct buf bytes; /* all of it, NUL-terminated */
    int status;       /* 0: no answer, only the end of the connection */
    const char *body;
    size_t body_len;
};

int raw_connect(int port); /* aborts if it cannot */
void raw_send(int fd, const char *bytes);
/* Read one answer by its Content-Length, or to the end. @head: it has no body, whatever it says. */
void raw_read(int fd, bool head, struct raw_answer *ret);
/* GET @target on a connection of its own. */
void raw_get(int port, const char *target, struct raw_answer *ret);
/* The value of a header, or NULL; @out of @size bytes. */
const char *raw_header(const struct raw_answer *a, const char *name, char *out, size_t size);
void raw_answer_free(struct raw_answer *a);

#endif
