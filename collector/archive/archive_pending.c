#include "archive_pending.h"

#include <errno.h>
#include <stdlib.h>

#include "archive_rows.h"

#define GROWTH   8 /* rows */
#define KEY_SIZE (2 * ARCHIVE_MAX_NAME + 1)

/* Resource and meter with a NUL between, which neither may hold in a key: names with one meet in one entry at worst,
 * and the entry's own names tell them apart. */
static struct text key_of(struct text resource, struct text meter, char *out)
{
    if (resource.len > ARCHIVE_MAX_NAME || meter.len > ARCHIVE_MAX_NAME)
        return (struct text){0};
    memcpy(out, resource.data, resource.len);
    if (meter.len == 0)
        return (struct text){out, resource.len};
    out[resource.len] = 0;
    memcpy(out + resource.len + 1, meter.data, meter.len);
    return (struct text){out, resource.len + 1 + meter.len};
}

/* ---- lists ---- */

static void list_add(struct pending_list *l, struct pending_file *f)
{
    f->previous = l->last;
    f->next = NULL;
    *(l->last ? &l->last->next : &l->first) = f;
    l->last = f;
}

static void list_remove(struct pending_list *l, struct pending_file *f)
{
    *(f->previous ? &f->previous->next : &l->first) = f->next;
    *(f->next ? &f->next->previous : &l->last) = f->previous;
}

static void due_add(struct pending *p, struct pending_file *f)
{
    if (f->due)
        return;
    f->due = true;
    f->next_due = NULL;
    *(p->due_first ? &p->due_last->next_due : &p->due_first) = f;
    p->due_last = f;
}

struct pending_file *pending_take_due(struct pending *p)
{
    struct pending_file *f = p->due_first;
    if (f) {
        p->due_first = f->next_due;
        f->due = false;
    }
    return f;
}

/* ---- entries ---- */

void pending_init(struct pending *p, size_t flush_rows)
{
    *p = (struct pending){.flush_rows = flush_rows, .limit = PENDING_FILES};
}

static void file_free(struct pending_file *f)
{
    free(f->rows);
    free((char *)f->key.data);
    free(f);
}

void pending_finish(struct pending *p)
{
    size_t cursor = 0;
    for (struct pending_file *f; (f = map_next(&p->files, &cursor));)
        file_free(f);
    map_free(&p->files);
    *p = (struct pending){0};
}

struct pending_file *pending_find(const struct pending *p, struct text resource, struct text meter)
{
    char bytes[KEY_SIZE];
    struct text key = key_of(resource, meter, bytes);
    struct pending_file *f = key.len ? map_get(&p->files, key) : NULL;
    return f && text_equal(f->resource, resource) && text_equal(f->meter, meter) ? f : NULL;
}

static void forget_first_idle(struct pending *p)
{
    struct pending_file *f = p->idle.first;
    list_remove(&p->idle, f);
    map_take(&p->files, f->key);
    file_free(f);
}

void pending_forget_idle(struct pending *p, int64_t before_ns)
{
    while (p->idle.first && p->idle.first->since_ns < before_ns && !p->idle.first->due)
        forget_first_idle(p);
}

struct pending_file *pending_make(struct pending *p, struct text resource, struct text meter, enum resource_kind kind,
                                  int64_t now_ns)
{
    char bytes[KEY_SIZE];
    struct text key = key_of(resource, meter, bytes);
    if (p->files.count >= p->limit && p->idle.first && !p->idle.first->due)
        forget_first_idle(p);
    if (p->files.count >= p->limit || key.len == 0 || map_get(&p->files, key))
        return NULL;
    struct pending_file *f = calloc(1, sizeof *f);
    char *copy = text_dup(key);
    if (!f || !copy || map_put(&p->files, (struct text){copy, key.len}, f)) {
        free(copy);
        free(f);
        return NULL;
    }
    f->key = (struct text){copy, key.len};
    f->resource = (struct text){copy, resource.len};
    f->meter = meter.len ? (struct text){copy + resource.len + 1, meter.len} : (struct text){0};
    f->kind = kind;
    f->columns = archive_layout(kind)->count;
    f->since_ns = now_ns;
    /* The first time a file is due sooner or later by its name: else all that began together are written together. */
    f->want = p->flush_rows - (size_t)(text_hash(key) % ((p->flush_rows + 1) / 2));
    list_add(&p->idle, f);
    return f;
}

/* ---- rows ---- */

static size_t stride(const struct pending_file *f)
{
    return (f->columns + 1) * sizeof(double);
}

int pending_add(struct pending *p, struct pending_file *f, int64_t end_s, const double *values, uint64_t commit,
                int64_t now_ns)
{
    if (f->count == f->cap) {
        double *rows = realloc(f->rows, (f->cap + GROWTH) * stride(f));
        if (!rows)
            return -ENOMEM;
        f->rows = rows;
        f->cap += GROWTH;
        p->bytes += GROWTH * stride(f);
    }
    if (f->count == 0) {
        list_remove(&p->idle, f);
        list_add(&p->waiting, f);
        f->since_ns = now_ns;
        f->commit = commit;
    }
    double *row = f->rows + f->count * (f->columns + 1);
    row[0] = (double)end_s;
    memcpy(row + 1, values, f->columns * sizeof(double));
    f->newest_s = end_s;
    f->count++;
    p->rows++;
    if (f->count >= f->want)
        due_add(p, f);
    return 0;
}

void pending_done(struct pending *p, struct pending_file *f, size_t count, int64_t now_ns)
{
    if (count == 0)
        return;
    p->rows -= count;
    f->count -= count;
    if (f->count) { /* those that stay keep their place: their commit is not older than the entry says */
        memmove(f->rows, f->rows + count * (f->columns + 1), f->count * stride(f));
        return;
    }
    p->bytes -= f->cap * stride(f);
    free(f->rows);
    f->rows = NULL;
    f->cap = 0;
    f->want = p->flush_rows;
    f->since_ns = now_ns;
    list_remove(&p->waiting, f);
    list_add(&p->idle, f);
}

uint64_t pending_oldest_commit(const struct pending *p)
{
    return p->waiting.first ? p->waiting.first->commit : 0;
}
