/* A ledger in a folder of its own, records put into it, questions put to it, and damage done to it behind its back. */
#ifndef TESTS_UNIT_LEDGER_BOOK_RIG_H
#define TESTS_UNIT_LEDGER_BOOK_RIG_H

#include "collector/ledger/ledger.h"
#include "pluvio/ledger/ledger_query.h"
#include "support/folder.h"

#define T0      1764028800LL /* s: midnight UTC */
#define HOUR    3600LL
#define DAY     86400LL
#define CLUSTER "cluster-a"
#define TOPIC   "otlp_metrics"

struct book_rig {
    char folder[FOLDER_SIZE], path[FOLDER_SIZE + 16];
    struct ledger *ledger;
    struct ledger_reader *reader;
    struct accountant accountant;
    struct series_steps steps;
    struct record record;
    int64_t now_ms;
    struct error error;
};

void book_start(struct book_rig *r); /* opened, periods of an hour; it is T0 + 10 days */
void book_stop(struct book_rig *r);
int book_open(struct book_rig *r, struct ledger **ret); /* another handle takes the lease */
void book_use(struct book_rig *r, struct ledger *l);    /* go on with this one; the old one is closed */

/* A record of @entity with one reading, owned by @project and in the transaction under way. */
enum series_refusal put(struct book_rig *r, const char *entity, const char *device, const char *project,
                        enum meter_id meter, uint64_t uid, int64_t start_s, int64_t time_s, int64_t value);
/* The same of another producer's metric. */
enum series_refusal put_metric(struct book_rig *r, const char *entity, const char *name, int64_t time_s, int64_t value);
void begin(struct book_rig *r);
int commit(struct book_rig *r); /* write out and commit */
void must_commit(struct book_rig *r);
void sweep_all(struct book_rig *r, int64_t now_s); /* all periods before are finished */

/* Run SQL on the file behind the ledger's back. */
void sql(struct book_rig *r, const char *text);
int64_t sql_number(struct book_rig *r, const char *query);

struct ledger_reader *reader_of(struct book_rig *r);
/* No mismatch; *ret may be NULL. */
void must_be_sound(struct book_rig *r);

#endif
