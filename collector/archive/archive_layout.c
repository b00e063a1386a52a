#include "pluvio/archive/archive_layout.h"

#include <pthread.h>

static struct archive_layout layouts[RESOURCE_KINDS];
static int columns[METERS];
static pthread_once_t filled = PTHREAD_ONCE_INIT;

static void fill(void)
{
    for (int i = 0; i < METERS; i++) {
        const struct meter *m = meter_at((enum meter_id)i);
        struct archive_layout *layout = &layouts[m->kind];
        columns[i] = -1;
        if (layout->count == ARCHIVE_MAX_COLUMNS)
            continue;
        columns[i] = (int)layout->count;
        layout->columns[layout->count++] = m;
    }
    layouts[RESOURCE_OTHER].count = 1;
}

const struct archive_layout *archive_layout(enum resource_kind kind)
{
    pthread_once(&filled, fill);
    return &layouts[kind];
}

int archive_column(const struct meter *meter)
{
    pthread_once(&filled, fill);
    return columns[meter->id];
}
