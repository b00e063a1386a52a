/* An outbox on a disk that fails where told to, and what stands in it. */
#ifndef TESTS_UNIT_OUTBOX_OUTBOX_RIG_H
#define TESTS_UNIT_OUTBOX_OUTBOX_RIG_H

#include "pollers/outbox.h"
#include "support/folder.h"
#include "support/run.h"

#define DAY_MS 86400000LL

extern struct outbox *outbox;
extern struct outbox_settings outbox_settings; /* change, then reopen */
extern char outbox_folder[FOLDER_SIZE], outbox_path[FOLDER_SIZE + 16];
extern struct buf outbox_notice;          /* what the last opening said */
extern int64_t record_ms, record_step_ms; /* of the next record; records are so far apart (both 0) */

void outbox_rig_set_up(void);
void outbox_rig_tear_down(void);
void outbox_reopen(void);

/* Keys that share a lane: KEY_A and KEY_B; KEY_C is in another. */
#define KEY_A "vm-a"
const char *key_b(void);
const char *key_c(void);
unsigned lane_of(const char *key);

/* Queue a record whose payload is the text; must be accepted. */
void add(const char *key, const char *payload, enum outbox_kind kind);
/* Commit; must succeed. */
void commit(void);
/* All in one: a committed reading. */
void put(const char *key, const char *payload);
/* "payload@sequence<previous payload@sequence<previous ...", in order. */
const char *held(unsigned lane);
struct outbox_figures figures(void);

#endif
