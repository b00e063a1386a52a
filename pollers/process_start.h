/* Which process runs a domain, and when it started: what tells two incarnations of a VM apart where libvirt's ids
 * repeat.
 *
 * Reads /proc (given as a folder) with no privilege: a process's arguments and start time are everybody's to see.
 */
#ifndef POLLERS_PROCESS_START_H
#define POLLERS_PROCESS_START_H

#include <stdbool.h>
#include <stdint.h>

#include "inspector.h"

/* Clock ticks from boot to the start of @pid (field 22 of PROC/PID/stat); 0: no such process, or not readable. */
int64_t process_start_of(const char *proc, int pid);

/* True if PROC/PID/cmdline holds "-uuid" and this UUID: the domain's QEMU, or another libvirtd's of the same UUID. */
bool process_runs_domain(const char *proc, int pid, const char *uuid);

/* True if it is the libvirt_lxc of the container @name. libvirt's id of a container is its pid (lxc_process.c). */
bool process_runs_container(const char *proc, int pid, const char *name);

/* The pid that @folder/@name.pid states; 0: none. */
int process_of_file(const char *folder, const char *name);

/* Walk all processes once: @found for every one that has "-uuid UUID" among its arguments. */
typedef void process_found(void *context, const char uuid[UUID_SIZE], int pid);
int process_scan(const char *proc, process_found *found, void *context) __attribute__((warn_unused_result));

#endif
