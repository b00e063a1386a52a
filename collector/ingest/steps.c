#include "steps.h"

#include <math.h>

#include "collector/ledger/ledger.h"
#include "collector/series/step.h"

#define KEY_SIZE 1024

/* What pollers say of themselves has no archive: the newest of each is with its host in the ledger. */
static bool is_our_own(const struct ledger_meter *m)
{
    return strncmp(m->name, "pluvio.", 7) == 0;
}

static void add(struct archive_steps *s, const struct archive_row *row)
{
    s->failed |= s->archive->add(s->archive, row) != 0;
}

static void single_row(struct archive_steps *s, const struct series *one, struct text resource, int64_t step_end_ms)
{
    double value = step_value(one, s->step_ms);
    struct archive_row row = {.resource = resource,
                              .meter = text_of(one->meter->name),
                              .kind = RESOURCE_OTHER,
                              .step_end_s = step_end_ms / 1000,
                              .values = &value};
    if (!isnan(value) && !is_our_own(one->meter))
        add(s, &row);
}

static void row(struct series_steps *self, const struct entity *e, const struct resource *r, int64_t step_end_ms)
{
    struct archive_steps *s = (struct archive_steps *)self;
    const struct archive_layout *layout = archive_layout(r->kind);
    double values[ARCHIVE_MAX_COLUMNS];
    char key[KEY_SIZE];
    struct text resource = resource_key(e, r, key, sizeof key);
    bool any = false;
    for (size_t i = 0; i < layout->count; i++)
        values[i] = NAN;
    for (size_t i = 0; i < r->count; i++) {
        const struct series *one = r->series[i];
        int column = one->meter->known && one->meter->known->kind == r->kind ? archive_column(one->meter->known) : -1;
        if (column < 0) {
            single_row(s, one, resource, step_end_ms);
            continue;
        }
        values[column] = step_value(one, s->step_ms);
        any |= !isnan(values[column]);
    }
    struct archive_row whole = {
        .resource = resource, .kind = r->kind, .step_end_s = step_end_ms / 1000, .values = values};
    if (any)
        add(s, &whole);
}

struct archive_steps archive_steps(struct archive *archive, int64_t step_ms)
{
    return (struct archive_steps){.port = {row}, .archive = archive, .step_ms = step_ms};
}
