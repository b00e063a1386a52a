/* A writer and an acknowledgements' reader that do what the test says, behind the publisher's ports. One at a time. */
#ifndef TESTS_UNIT_OUTBOX_FAKE_KAFKA_H
#define TESTS_UNIT_OUTBOX_FAKE_KAFKA_H

#include "pluvio/wire/envelope.h"
#include "pollers/publisher.h"

#define FAKE_MAX 2000

struct fake_sent {
    char key[64], value[64];
    int32_t partition;
    uint64_t tag;
    bool is_hello;
    struct envelope envelope;
    char host[64]; /* of a hello */
};

struct fake_ack {
    char key[256], value[64];
};

struct fake_kafka {
    struct writer writer;
    struct reader reader;
    /* What the test sets. */
    int open_result; /* of both */
    int partitions;  /* of the topic; 0: unknown */
    const char *cluster;
    size_t too_large; /* values of this many bytes and more are refused for good; 0: none */
    bool queue_full, writer_dead, reader_dead, moved;
    bool always_dead;          /* each new writer, too */
    const char *writer_reason; /* NULL: nothing amiss */
    const char *reader_down;   /* told once, in place of the assignment; or the reason of its death */
    /* What happened. */
    struct fake_sent sent[FAKE_MAX];
    size_t sent_count;
    int opened, destroyed; /* writers */
    bool writer_open, reader_open;
    /* Scripts. */
    struct delivery reports[FAKE_MAX];
    size_t reports_count, reports_at;
    struct fake_ack acks[FAKE_MAX];
    size_t acks_count, acks_at, acks_end; /* end: the log's high watermark, where it differs from acks_count */
    bool assigned, reader_silent;
};

extern struct fake_kafka kafka;
void fake_kafka_reset(void);
struct publisher_ports fake_kafka_ports(void);

/* The broker has (or has not) the i-th message that was produced. */
void fake_report(size_t i, int result, int64_t offset);
void fake_ack_mark(const char *outbox, unsigned lane, uint64_t mark);
void fake_ack_offset(const char *cluster, const char *topic, int32_t partition, int64_t offset);
void fake_ack_raw(const char *key, const char *value);

#endif
