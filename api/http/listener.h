/* The listening socket: loopback only, and errors that say what to do. */
#ifndef API_HTTP_LISTENER_H
#define API_HTTP_LISTENER_H

#include "pluvio/base/error.h"

/* Listen at @address, "127.0.0.1:8777", "[::1]:8777" or "localhost:8777"; port 0: any free one. An address that other
 * machines could reach is refused (-EPERM): the API has no access control. -EADDRINUSE names who to look for. */
int listener_open(int *ret_fd, int *ret_port, const char *address, struct error *error)
    __attribute__((warn_unused_result));

#endif
