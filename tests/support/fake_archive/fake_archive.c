#include "support/fake_archive/fake_archive.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static void insist(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "fake archive: %s\n", what);
    abort();
}

static struct fake_archive *fake_of(struct archive *a)
{
    return (struct fake_archive *)a;
}

static int take_failure(int *failure)
{
    int r = *failure;
    *failure = 0;
    return r;
}

static char *copy(struct text t)
{
    char *s = text_dup(t);
    insist(s, "out of memory");
    return s;
}

static int fake_add(struct archive *self, const struct archive_row *row)
{
    struct fake_archive *a = fake_of(self);
    int r = take_failure(&a->fail_add);
    if (r)
        return r;
    insist(!a->sealed, "add between seal and confirm");
    insist((row->kind == RESOURCE_OTHER) == (row->meter.len > 0), "a meter's name belongs to RESOURCE_OTHER only");
    if (a->count == a->cap) {
        a->cap = a->cap ? 2 * a->cap : 64;
        a->rows = realloc(a->rows, a->cap * sizeof *a->rows);
        insist(a->rows, "out of memory");
    }
    struct fake_row *f = &a->rows[a->count++];
    *f = (struct fake_row){
        .resource = copy(row->resource), .meter = copy(row->meter), .kind = row->kind, .step_end_s = row->step_end_s};
    memcpy(f->values, row->values, archive_layout(row->kind)->count * sizeof(double));
    return 0;
}

static int fake_seal(struct archive *self, uint64_t commit, struct error *error)
{
    struct fake_archive *a = fake_of(self);
    int r = take_failure(&a->fail_seal);
    if (r)
        return error_set(error, r, "the fake archive was told to fail");
    insist(!a->sealed, "sealed twice");
    insist(commit > a->last_commit, "commit numbers must grow");
    a->sealed = true;
    a->sealed_commit = commit;
    return 0;
}

static void fake_confirm(struct archive *self, uint64_t commit)
{
    struct fake_archive *a = fake_of(self);
    insist(a->sealed && a->sealed_commit == commit, "confirm of a commit that was not sealed");
    for (; a->confirmed < a->count; a->confirmed++)
        a->rows[a->confirmed].commit = commit;
    a->last_commit = commit;
    a->sealed = false;
}

static void drop_row(struct fake_row *row)
{
    free(row->resource);
    free(row->meter);
}

static void fake_forget(struct archive *self)
{
    struct fake_archive *a = fake_of(self);
    while (a->count > a->confirmed)
        drop_row(&a->rows[--a->count]);
    a->sealed = false;
}

static void fake_destroy(struct archive *self)
{
    struct fake_archive *a = fake_of(self);
    if (!a)
        return;
    for (size_t i = 0; i < a->count; i++)
        drop_row(&a->rows[i]);
    free(a->rows);
    free(a);
}

struct fake_archive *fake_archive_make(void)
{
    struct fake_archive *a = calloc(1, sizeof *a);
    insist(a, "out of memory");
    a->port = (struct archive){fake_add, fake_seal, fake_confirm, fake_forget, fake_destroy};
    return a;
}

const struct fake_row *fake_archive_find(const struct fake_archive *a, const char *resource, const char *meter,
                                         int64_t step_end_s)
{
    for (size_t i = 0; i < a->confirmed; i++) {
        const struct fake_row *f = &a->rows[i];
        if (f->step_end_s == step_end_s && strcmp(f->resource, resource) == 0 && strcmp(f->meter, meter) == 0)
            return f;
    }
    return NULL;
}

double fake_archive_value(const struct fake_archive *a, const char *resource, enum meter_id meter, int64_t step_end_s)
{
    const struct fake_row *f = fake_archive_find(a, resource, "", step_end_s);
    const struct meter *m = meter_at(meter);
    return f && f->kind == m->kind ? f->values[archive_column(m)] : NAN;
}
