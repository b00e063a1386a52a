/* The whole poller over an inspector, its records going into an outbox on the disk and no further: there is no broker.
 */
#ifndef TESTS_BENCH_INSPECTOR_WHOLE_POLLER_H
#define TESTS_BENCH_INSPECTOR_WHOLE_POLLER_H

#include "pollers/inspector.h"

struct whole_poller;
/* Takes @inner over. Ends the program on failure. */
struct whole_poller *whole_poller_open(struct inspector *inner);
void whole_poller_close(struct whole_poller *w);
/* Step until one more reading of the host has been taken and stored; returns how many VMs it had. */
size_t whole_poller_cycle(struct whole_poller *w);

#endif
