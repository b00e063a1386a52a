/* Rows that wait for their file, by file: which file is due, and up to which commit all is written. Pure.
 *
 * Every file that rows came for has an entry. Entries with rows stand in the order of their oldest row, so that age,
 * memory's limit and the journal's oldest needed commit all look at the first one. Entries without rows are kept a
 * while (they know their file's last row) and go in the order in which they became idle.
 */
#ifndef COLLECTOR_ARCHIVE_ARCHIVE_PENDING_H
#define COLLECTOR_ARCHIVE_ARCHIVE_PENDING_H

#include <stdbool.h>

#include "archive.h"
#include "pluvio/base/map.h"

#define PENDING_FILES 1000000 /* entries; beyond, idle ones go first, then rows of further files are refused */

struct pending_file {
    struct text resource, meter; /* owned */
    struct text key;             /* of the map; owned */
    enum resource_kind kind;
    bool exists;       /* on the disk */
    bool due;          /* stands in the queue of full ones */
    int64_t written_s; /* end of the newest row in the file; 0: there is none */
    int64_t newest_s;  /* end of the newest row, written or waiting; 0: none yet */
    int64_t since_ns;  /* the oldest row came, or the entry became idle */
    int64_t retry_ns;  /* after a failure: not before */
    uint64_t commit;   /* of the oldest row */
    size_t columns;
    size_t count, cap; /* rows that wait */
    size_t want;       /* so many make it due */
    double *rows;      /* each: its end (exact: below 2^53), then the columns */
    struct pending_file *previous, *next, *next_due;
};

struct pending_list {
    struct pending_file *first, *last;
};

struct pending {
    struct map files;
    struct pending_list waiting, idle;
    struct pending_file *due_first, *due_last;
    size_t flush_rows, limit; /* limit: of entries */
    size_t bytes;             /* of rows that wait, as allocated */
    size_t rows;
};

/* @flush_rows > 0. */
void pending_init(struct pending *p, size_t flush_rows);
void pending_finish(struct pending *p);

/* NULL: not known, or names too long. */
struct pending_file *pending_find(const struct pending *p, struct text resource, struct text meter);
/* A new, idle entry: the caller fills exists, written_s and newest_s. NULL: out of memory or full. */
struct pending_file *pending_make(struct pending *p, struct text resource, struct text meter, enum resource_kind kind,
                                  int64_t now_ns);
/* The row is behind newest_s. 0 or -ENOMEM. */
int pending_add(struct pending *p, struct pending_file *f, int64_t end_s, const double *values, uint64_t commit,
                int64_t now_ns) __attribute__((warn_unused_result));
/* Row @i's end; its values stand behind. */
static inline int64_t pending_end_s(const struct pending_file *f, size_t i)
{
    return (int64_t)f->rows[i * (f->columns + 1)];
}
static inline const double *pending_values(const struct pending_file *f, size_t i)
{
    return f->rows + i * (f->columns + 1) + 1;
}
/* The oldest @count rows are in the file, or given up. */
void pending_done(struct pending *p, struct pending_file *f, size_t count, int64_t now_ns);

/* Take a full one out of the queue; NULL: none. */
struct pending_file *pending_take_due(struct pending *p);
/* The commit of the oldest row that waits; 0: none waits. */
uint64_t pending_oldest_commit(const struct pending *p);
/* Drop entries that are idle since before @before_ns. */
void pending_forget_idle(struct pending *p, int64_t before_ns);

#endif
