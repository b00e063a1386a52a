/* What a daemon owes the system: signals as a descriptor, readiness to the service manager, a state folder of its own.
 */
#ifndef PLUVIO_BASE_DAEMON_H
#define PLUVIO_BASE_DAEMON_H

#include "pluvio/base/error.h"

enum daemon_signal { DAEMON_NONE, DAEMON_STOP, DAEMON_RELOAD };

/* Block SIGTERM, SIGINT and SIGHUP in this thread and those it starts, ignore SIGPIPE; the descriptor is readable when
 * one came. Call before threads start. Negative errno: no descriptor to be had. */
int daemon_signals(void);
/* The next one; does not wait. */
enum daemon_signal daemon_signal_next(int fd);

/* Tell the service manager, if there is one that asks for it: "READY=1", "STOPPING=1", "STATUS=...". Source: the
 * protocol in sd_notify(3). */
void daemon_notify(const char *state);

/* The folder @path, made if its parent is there, held by this process alone until it ends: a second program of the same
 * @role is refused and told who has it. Returns a descriptor that is never to be closed, or a negative errno. */
int state_folder_hold(const char *path, const char *role, struct error *error) __attribute__((warn_unused_result));

#endif
