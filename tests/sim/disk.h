/* The disks of the simulation: SQLite VFSs on which nobody sleeps, since patience with a locked file would be real
 * time.
 *
 * "sim" is the system's else. FAULT_VFS is fault_vfs.h's; its faults are the process's, so a world puts either its
 * outboxes or its ledger on it.
 */
#ifndef TESTS_SIM_DISK_H
#define TESTS_SIM_DISK_H

#include <stdbool.h>

#include "support/fault_vfs/fault_vfs.h"

#define SIM_VFS "sim"

void disk_register(void); /* once a process */
/* May the file be written now, or does somebody hold it? */
bool disk_is_locked(const char *path);
/* A whole copy of a database that is in use, as a backup makes it. */
void disk_copy(const char *from, const char *to);
/* Put @from in place of @to, which nobody has open. */
void disk_replace(const char *from, const char *to);

#endif
