/* What stands in an archive file: the data sources by kind of resource, in column order. Pure, one table. */
#ifndef PLUVIO_ARCHIVE_ARCHIVE_LAYOUT_H
#define PLUVIO_ARCHIVE_ARCHIVE_LAYOUT_H

#include <stddef.h>

#include "pluvio/model/meter.h"

#define ARCHIVE_MAX_COLUMNS 32

struct archive_layout {
    size_t count;
    const struct meter *columns[ARCHIVE_MAX_COLUMNS]; /* RESOURCE_OTHER: one column, NULL, named "value" */
};

/* Static storage. Columns are the meters of @kind in the order of the meter table. */
const struct archive_layout *archive_layout(enum resource_kind kind);
/* The column of @meter in its kind's file, or -1. Constant time. */
int archive_column(const struct meter *meter);

#endif
