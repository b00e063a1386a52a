/* Kafka as a port: the collector, the poller and the simulation see a log through these functions alone.
 *
 * Implementations: log_rdkafka (a broker, embedded or real) and the simulation's fake log. All calls of one handle
 * come from one thread. Nothing here blocks longer than the timeout it is given.
 */
#ifndef PLUVIO_KAFKA_KAFKA_LOG_H
#define PLUVIO_KAFKA_KAFKA_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pluvio/base/buf.h"
#include "pluvio/base/error.h"

#define KAFKA_MAX_PARTITIONS 512

/* ---- reading ---- */

enum reader_event_kind {
    READER_MESSAGE,
    READER_ASSIGNED, /* partitions[] are ours: answer with reader_start before anything of them is read */
    READER_REVOKED,  /* partitions[] are no longer ours: answer with reader_release */
    READER_RESET,    /* the position of `partition` was outside the log; reading goes on at `offset`, the earliest */
    READER_DOWN      /* nothing can be read: all brokers are away or refuse, or nobody knows the topic (told once until
                      * something is read); `reason` says why */
};

struct message {
    int32_t partition;
    int64_t offset;
    int64_t timestamp_ms; /* broker's or producer's; -1: none */
    struct text key, value;
    struct text wire, record, hello; /* our headers' values; empty where absent */
};

struct reader_event {
    enum reader_event_kind kind;
    struct message message; /* valid until the next call on the reader */
    const int32_t *partitions;
    size_t partition_count;
    int32_t partition;
    int64_t offset;
    const char *reason;
};

#define OFFSET_EARLIEST (-2) /* Kafka's own number for "beginning" */

struct position {
    int32_t partition;
    int64_t offset; /* the next to read, or OFFSET_EARLIEST */
};

struct reader {
    /* 1: *ret is an event; 0: none within @timeout_ms; negative errno: the handle is dead, make another;
     * ret->reason says why, NULL where that is not known. */
    int (*next)(struct reader *self, int timeout_ms, struct reader_event *ret);
    /* After READER_ASSIGNED: read each of these from its offset. Also seeks partitions that are being read already. */
    int (*start)(struct reader *self, const struct position *positions, size_t count, struct error *error);
    /* After READER_REVOKED: what was buffered of these partitions is dropped. */
    int (*release)(struct reader *self);
    /* First and next-to-be-written offset of a partition as the broker says; may ask it, at most @timeout_ms. */
    int (*watermarks)(struct reader *self, int32_t partition, int timeout_ms, int64_t *ret_low, int64_t *ret_high);
    /* The id of the cluster that answered last; NULL while unknown. Owned by the reader, valid until asked again. */
    const char *(*cluster_id)(struct reader *self);
    /* Tell the broker what was read (a courtesy for lag tools: nothing here relies on it). */
    void (*commit)(struct reader *self, const struct position *positions, size_t count);
    void (*destroy)(struct reader *self);
};

/* ---- writing ---- */

struct outgoing {
    const char *topic;
    int32_t partition;         /* -1: by key */
    struct text key, value;    /* value.data NULL: a tombstone */
    struct text record, hello; /* our headers; empty: left out. A message with either also gets pluvio-wire */
    uint64_t tag;              /* comes back in the report */
};

struct delivery {
    uint64_t tag;
    int result; /* 0, or not in the log as far as we know: -EMSGSIZE larger than the topic takes, -EACCES no
                 * right to write, -EIO any other reason */
    int32_t partition;
    int64_t offset; /* -1: unknown (a duplicate that the broker had already) */
};

struct writer {
    /* Copy and queue. 0; -EAGAIN: queue full, try later; -EMSGSIZE: never will; -ENOTCONN: handle is dead, make
     * another. */
    int (*produce)(struct writer *self, const struct outgoing *m);
    /* Serve the client. 1: *ret is one report; 0: none within @timeout_ms; -ENOTCONN: the handle is dead, make another.
     */
    int (*poll)(struct writer *self, int timeout_ms, struct delivery *ret);
    /* How many partitions @topic has, creating it where the broker allows; 0 while unknown. Asked again once a minute,
     * while unknown more often; to ask may block for up to 5 s, but not for more than a fifth of all time. */
    int (*partitions)(struct writer *self, const char *topic);
    const char *(*cluster_id)(struct writer *self); /* NULL while unknown; valid until asked again */
    /* Why nothing is written, or why the handle is dead, as was heard last; NULL: nothing amiss was heard. Valid until
     * the next call. */
    const char *(*reason)(struct writer *self);
    /* Wait until all queued messages are delivered or @timeout_ms is over; 0 or -ETIMEDOUT. */
    int (*flush)(struct writer *self, int timeout_ms);
    void (*destroy)(struct writer *self); /* drops what is still queued */
};

#endif
