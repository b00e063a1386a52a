/* When to send what: go-back-N by the ledger's marks, one state a lane (rules R6, R8, R9, R10). Pure: no I/O, no clock.
 *
 * The publisher asks release_next for a lane's next step and tells what happened; times are CLOCK_BOOTTIME ns.
 */
#ifndef POLLERS_RELEASE_H
#define POLLERS_RELEASE_H

#include <stdbool.h>
#include <stdint.h>

#define RELEASE_TIMEOUT_FIRST_NS (5LL * 1000000000)
#define RELEASE_TIMEOUT_MAX_NS   (300LL * 1000000000)
#define RELEASE_QUEUED_NS        (600LL * 1000000000) /* R10: patience with what is known to be still queued */
#define RELEASE_HELLO_NS         (60LL * 1000000000)

struct release_lane {
    uint64_t mark;      /* the ledger's word */
    bool marked;        /* it has spoken since we started */
    uint64_t sent;      /* newest sequence handed to the producer since the last go-back */
    uint64_t delivered; /* newest that a broker reported as its own */
    int32_t partition;  /* where `delivered` lies, and its offset; -1: unknown */
    int64_t offset;
    int64_t progress_ns; /* mark moved, or sending began, last */
    int64_t timeout_ns;  /* doubles while nothing moves */
    int64_t hello_ns;    /* last said */
    uint64_t resends;    /* counted */
};

enum release_step {
    RELEASE_WAIT, /* nothing until *ret_wake_ns */
    RELEASE_SEND, /* send the first record after `sent` */
    RELEASE_HELLO /* say hello */
};

void release_start(struct release_lane *l, uint64_t stored_mark, int64_t now_ns);
/* @last: newest stored sequence; @room: the in-flight bound allows another; @read_offset: the ledger's next offset in
 * l->partition as last heard, -1: unknown. */
enum release_step release_next(struct release_lane *l, uint64_t last, bool room, int64_t read_offset, int64_t now_ns,
                               int64_t *ret_wake_ns);
void release_sent(struct release_lane *l, uint64_t sequence, int64_t now_ns);
void release_hello_sent(struct release_lane *l, int64_t now_ns);
void release_delivered(struct release_lane *l, uint64_t sequence, int32_t partition, int64_t offset);
/* Not in the log: go back to the mark. */
void release_failed(struct release_lane *l, int64_t now_ns);
/* The ledger's word, in log order; the newest counts even if lower. @last clamps it. */
void release_acked(struct release_lane *l, uint64_t mark, uint64_t last, int64_t now_ns);
/* Another broker, or a new handle: whatever was on its way may be lost. */
void release_rewind(struct release_lane *l, int64_t now_ns);

#endif
