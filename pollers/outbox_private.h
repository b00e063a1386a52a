/* What outbox.c and outbox_tidy.c share. */
#ifndef POLLERS_OUTBOX_PRIVATE_H
#define POLLERS_OUTBOX_PRIVATE_H

#include "outbox.h"
#include "pluvio/model/record.h"
#include "thinning.h"

/* A record's row id: lanes one after another, sequences in order within. */
#define LANE_SPAN (1LL << 58)

struct waiting_record {
    struct waiting_record *next;
    unsigned lane;
    enum outbox_kind kind;
    int64_t time_ms;
    size_t key_len, payload_len;
    char bytes[]; /* key, payload */
};

struct outbox_lane {
    uint64_t last, mark;       /* newest sequence ever; the ledger's word */
    uint64_t held;             /* newest that still stands here; 0: none */
    uint64_t counted;          /* of the commit under way */
    bool mark_dirty;           /* mark, gap_ms or swept */
    int64_t gap_ms;            /* of the sweep that thins this lane; 0: none did since it was empty */
    uint64_t swept;            /* how far it has come */
    struct thinning *thinning; /* what it remembers; NULL: nothing yet */
};

struct outbox {
    struct outbox_settings settings;
    struct db *db;
    char id[OUTBOX_ID_SIZE];
    struct outbox_lane lanes[RECORD_LANES];
    struct waiting_record *first, **tail;
    struct waiting_record **first_plain; /* before it only edges wait */
    bool full;                           /* over the bound with nothing left to thin */
    struct outbox_figures figures;
    struct error damage;     /* of the file, met at work */
    struct buf key, payload; /* of the record that was read last */
};

void outbox_write_marks(struct outbox *o);
/* How much stands in the file, with what the transaction under way makes of it. */
void outbox_write_sums(struct outbox *o, uint64_t records, uint64_t bytes);
/* Remembers damage for outbox_damage; returns @result. */
int outbox_note(struct outbox *o, int result, const struct error *error);
/* After records were deleted: what is the newest held in @lane. */
void outbox_find_held(struct outbox *o, unsigned lane);
static inline int64_t outbox_row(unsigned lane, uint64_t sequence)
{
    return (int64_t)lane * LANE_SPAN + (int64_t)sequence;
}

#endif
