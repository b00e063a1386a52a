/* One read-only connection to libvirt with keepalive, and the process's one libvirt event loop.
 *
 * Every call may block for as long as libvirtd does: only threads that may be left behind make them.
 */
#ifndef POLLERS_INSPECTOR_CONNECTION_H
#define POLLERS_INSPECTOR_CONNECTION_H

#include <stdbool.h>
#include <stdint.h>

#include "inspector.h"
#include "pluvio/base/error.h"

/* A libvirtd that does not answer for this long is given up: every call on the connection fails. */
#define KEEPALIVE_INTERVAL_S 2
#define KEEPALIVE_COUNT      3

/* Ignore SIGPIPE, keep libvirt from printing, start its event loop's thread. Repeated calls do nothing. */
int connection_setup(struct error *error) __attribute__((warn_unused_result));

struct connection;
/* -EIO with libvirt's words, -ENOMEM. */
int connection_open(struct connection **ret, const char *uri, struct error *error) __attribute__((warn_unused_result));
void connection_close(struct connection *c); /* takes NULL */
/* False: it broke, or keepalive gave it up; open another. */
bool connection_alive(const struct connection *c);
/* Different for each connection of the process, never 0. */
uint64_t connection_serial(const struct connection *c);
/* libvirt's virConnectPtr, for the files that speak libvirt. */
void *connection_handle(const struct connection *c);
/* Who the host is. An empty @ret_uuid: the driver knows none. @ret_name is for display, this process's own host name
 * unless the URI is of another; the caller's to free, and set by success alone. @ret_qemu: the driver whose bulk
 * call gives everything. */
int connection_host(struct connection *c, char **ret_name, char ret_uuid[UUID_SIZE], bool *ret_qemu,
                    struct error *error) __attribute__((warn_unused_result));
/* @error gets libvirt's last words in this thread: "@what: ...". Returns @code. */
int connection_error(struct error *error, int code, const char *what);

#endif
