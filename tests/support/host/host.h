/* A libvirtd of a test's own with real QEMU guests that do as they are told: the script `host`, called from C.
 *
 * Each call has a deadline (120 s), after which it has failed. Results are the script's: 0, or what it exited with; it
 * says on stderr what went wrong. Several hosts may be up at once, each with a folder and a libvirt id of its own.
 */
#ifndef TESTS_SUPPORT_HOST_HOST_H
#define TESTS_SUPPORT_HOST_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "support/folder.h"

struct host {
    char folder[FOLDER_SIZE];   /* <folder>/NAME.img is a guest's disk */
    char uri[FOLDER_SIZE + 64]; /* works from any process */
};

/* Start one in a folder made for it, with the script's options for `up` ("" for none). Call it from main, before the
 * suite: where no host can run the program ends as skipped, and if it fails, with 1;
 * once one has come up, others may be started in tests too. */
void host_up(struct host *h, const char *options);
/* End all of it and remove its folder. */
void host_down(struct host *h);

/* Define and start a guest, with the script's options for `guest` ("" for none). */
int host_guest(const struct host *h, const char *name, const char *uuid, const char *options)
    __attribute__((warn_unused_result));

/* Have a guest carry out an order (guest.c) and wait until it is done. */
int host_order(const struct host *h, const char *name, const char *order) __attribute__((warn_unused_result));
/* The same; its answer without the "ok" is put into @out of @size bytes. */
int host_ask(const struct host *h, const char *name, const char *order, char *out, size_t size)
    __attribute__((warn_unused_result));

/* virsh, its arguments as a shell would read them; what it prints is dropped. */
int host_virsh(const struct host *h, const char *format, ...) __attribute__((format(printf, 2, 3), warn_unused_result));

/* One figure of `virsh domstats`, "block.0.wr.bytes" for one. False: there is no such domain or figure. */
bool host_stat(const struct host *h, const char *name, const char *key, uint64_t *ret)
    __attribute__((warn_unused_result));

/* The process of a running guest, to stop or kill; 0: none. */
pid_t host_pid(const struct host *h, const char *name);

/* kill -9 libvirtd, and wait for the next; end it and leave it so; have it again. The guests go on. */
int host_restart(const struct host *h) __attribute__((warn_unused_result));
int host_stop_daemon(const struct host *h) __attribute__((warn_unused_result));
int host_start_daemon(const struct host *h) __attribute__((warn_unused_result));

/* Move a running guest to another host, whose own it is then. Its disk stays where it is. */
int host_migrate(const struct host *h, const char *name, const struct host *to) __attribute__((warn_unused_result));

#endif
