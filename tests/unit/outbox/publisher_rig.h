/* A publisher between a real outbox (outbox_rig) and a scripted broker (fake_kafka). Times in seconds of boot time. */
#ifndef TESTS_UNIT_OUTBOX_PUBLISHER_RIG_H
#define TESTS_UNIT_OUTBOX_PUBLISHER_RIG_H

#include "fake_kafka.h"
#include "outbox_rig.h"

#define S 1000000000LL

extern struct publisher *publisher;
extern struct publisher_settings settings; /* set before publisher_rig_create */

void publisher_rig_set_up(void); /* with a publisher of the usual settings */
void publisher_rig_tear_down(void);
void publisher_rig_create(void);

int64_t step(int64_t at_s);
/* The ledger's word for KEY_A's lane. */
void acked(uint64_t mark);
/* "value@sequence<previous" of what was produced from @from on; "hello@last" for hellos. */
const char *sent(size_t from);
struct publisher_figures published(void);

#endif
