/* Rows as an aligned table or as CSV. Cells are copied; widths count characters, not bytes. What a terminal would
 * take for a command (a VM's name may hold anything) is printed as "?". */
#ifndef PLUVIO_BASE_TABLE_H
#define PLUVIO_BASE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "pluvio/base/buf.h"

#define TABLE_MAX_COLUMNS 24

struct table {
    const char *heads[TABLE_MAX_COLUMNS];
    bool right[TABLE_MAX_COLUMNS]; /* aligned, for numbers */
    size_t columns;
    struct buf cells; /* each sized text, row by row */
    size_t count;     /* cells */
};

void table_column(struct table *t, const char *head, bool right);
/* Fill the next cell; a row is full after as many as there are columns. */
void table_cell(struct table *t, struct text value);
/* 0, or -ENOMEM. An empty table prints only its head. */
int table_print(const struct table *t, FILE *out);
int table_print_csv(const struct table *t, FILE *out);
void table_free(struct table *t);

#endif
