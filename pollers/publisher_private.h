/* What publisher.c (sending) and publisher_acks.c (hearing) share. */
#ifndef POLLERS_PUBLISHER_PRIVATE_H
#define POLLERS_PUBLISHER_PRIVATE_H

#include "pluvio/base/log.h"
#include "pluvio/model/record.h"
#include "publisher.h"
#include "release.h"

/* A record on its way: what it takes of the in-flight bound. */
struct in_flight {
    uint64_t sequence;
    int64_t bytes;
};

struct publisher_lane {
    struct release_lane release;
    struct in_flight *flights; /* a ring would do; a lane has few, so the front is moved out */
    size_t count, cap;
    int64_t bytes;
    uint64_t unreported; /* with the client, which has not said yet what became of them */
    int64_t reported_ns; /* it spoke last, or got the first of them */
    bool heard;          /* a mark waits in `newest` */
    uint64_t newest;
};

struct publisher {
    struct publisher_settings settings;
    struct publisher_ports ports;
    struct outbox *outbox;
    struct writer *writer;
    struct reader *acks;
    char cluster[128]; /* the writer's, as it said last; empty: unknown */
    struct publisher_lane lanes[RECORD_LANES];
    int64_t read_offsets[KAFKA_MAX_PARTITIONS]; /* the ledger's next, as last heard; -1: unknown */
    /* Until the acknowledgements' log was read to where it ended when we came, old words are not taken for new. */
    bool caught_up;
    int64_t catch_up_ns;
    int64_t heard[KAFKA_MAX_PARTITIONS]; /* the next offset to be heard */
    int64_t ends[KAFKA_MAX_PARTITIONS];
    size_t to_catch_up;
    char unheard[512]; /* why the ledger's word is not heard; empty: it is, as far as we know */
    int64_t retry_ns, backoff_ns;
    int64_t budget, budget_ns; /* bytes that may be sent now, by the drain rate */
    unsigned turn;             /* the lane that may send first, so that what bounds them all starves none */
    struct log_limit trouble_limit, drop_limit, refusal_limit;
    struct publisher_figures figures;
};

/* Take in what the ledger said. -ENOTCONN: the reader is dead. */
int publisher_hear(struct publisher *p, int64_t now_ns);
/* The reader is new: nothing is known of its log. */
void publisher_forget_acks(struct publisher *p);
/* What left the in-flight bound by the lane's mark, or will be sent again since the lane went back. */
void publisher_land(struct publisher_lane *l);

#endif
