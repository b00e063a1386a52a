/* A disk that fails where told to: a SQLite VFS before the system's, for all files opened through it.
 *
 * It counts writes and syncs and fails the n-th, or every one while told to; and it remembers what was written since
 * each file's last sync, so that a power cut can take it back. One thread; state is the process's.
 *
 *     fault_vfs_register();                       open with vfs FAULT_VFS
 *     fault_vfs_fail(FAULT_SYNC, 3, SQLITE_IOERR_FSYNC);
 *     fault_vfs_power_cut();                      then close the handles: nothing they do reaches the disk
 *     fault_vfs_heal();                           and the files are what a machine finds after it comes back
 */
#ifndef TESTS_SUPPORT_FAULT_VFS_FAULT_VFS_H
#define TESTS_SUPPORT_FAULT_VFS_FAULT_VFS_H

#include <stdint.h>

#define FAULT_VFS "fault"

enum fault_kind { FAULT_WRITE, FAULT_SYNC, FAULT_KINDS };

/* Once a process; heals what an earlier test left. Aborts if it cannot. */
void fault_vfs_register(void);

/* The @nth operation of this kind from now fails once with @sqlite_error (SQLITE_FULL, SQLITE_IOERR_WRITE ...). */
void fault_vfs_fail(enum fault_kind kind, uint64_t nth, int sqlite_error);
/* Every operation of this kind fails so until fault_vfs_heal. */
void fault_vfs_fail_all(enum fault_kind kind, int sqlite_error);
/* Nothing fails any more; counts begin at zero. */
void fault_vfs_heal(void);
/* Operations since the last heal. */
uint64_t fault_vfs_count(enum fault_kind kind);

/* What was written since each file's last sync is taken back; from now on nothing reaches the disk, though all calls
 * succeed, until fault_vfs_heal. Close all handles between the two. */
void fault_vfs_power_cut(void);

#endif
