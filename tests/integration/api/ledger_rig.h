/* A real ledger file with a small, known content: VMs of two projects, each with CPU time and vcpus, read when the test
 * says so. */
#ifndef TESTS_INTEGRATION_API_LEDGER_RIG_H
#define TESTS_INTEGRATION_API_LEDGER_RIG_H

#include <stdint.h>

#include "collector/ledger/ledger.h"

#define LEDGER_RIG_START_S 1764000000LL /* 2025-11-24T16:00:00Z */

struct ledger_rig {
    struct ledger *ledger;
    struct accountant accountant;
    struct record record;
    int64_t now_ms;
};

/* Make @path. */
void ledger_rig_open(struct ledger_rig *r, const char *path);
/* Account one reading of each of @vms VMs, @seconds after the start: VM i, "vm-<i>" of project "red" (even) or "blue"
 * (odd), has used seconds * (i + 1) ns by then, and has 2 vcpus. One commit. */
void ledger_rig_read(struct ledger_rig *r, int vms, int64_t seconds);
/* A record that nobody could read. */
void ledger_rig_dead_letter(struct ledger_rig *r, const char *reason);
void ledger_rig_close(struct ledger_rig *r);

#endif
