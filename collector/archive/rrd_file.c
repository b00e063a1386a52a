#include "rrd_file.h"

#include <errno.h>
#include <rrd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_ARGUMENTS (ARCHIVE_MAX_COLUMNS + 3 * ARCHIVE_POLICY_LINES)
#define ARGUMENT_SIZE 64

static const char *const functions[] = {"AVERAGE", "MIN", "MAX"};

static int library_error(const char *path, struct error *error)
{
    return error_set(error, -EIO, "%s: librrd: %s", path, rrd_get_error());
}

struct arguments {
    char text[MAX_ARGUMENTS][ARGUMENT_SIZE];
    const char *list[MAX_ARGUMENTS];
    int count;
};

static void add_sources(struct arguments *a, enum resource_kind kind, int64_t step_s)
{
    const struct archive_layout *layout = archive_layout(kind);
    for (size_t i = 0; i < layout->count; i++)
        snprintf(a->text[a->count++], ARGUMENT_SIZE, "DS:%s:GAUGE:%lld:U:U",
                 layout->columns[i] ? layout->columns[i]->data_source : "value", (long long)step_s);
}

/* xff 0.999: a consolidated row is known if anything in it is; it is the mean over what is known. */
static void add_archives(struct arguments *a, const struct archive_policy *policy)
{
    int64_t step = policy->lines[0].step_s;
    for (size_t i = 0; i < policy->count; i++) {
        const struct archive_policy_line *l = &policy->lines[i];
        for (int f = 0; f < (i ? 3 : 1); f++)
            snprintf(a->text[a->count++], ARGUMENT_SIZE, "RRA:%s:0.999:%lld:%lld", functions[f],
                     (long long)(l->step_s / step), (long long)(l->keep_s / l->step_s));
    }
}

int rrd_file_create(const char *path, enum resource_kind kind, const struct archive_policy *policy, int64_t start_s,
                    struct error *error)
{
    struct arguments *a = calloc(1, sizeof *a);
    if (!a)
        return error_set(error, -ENOMEM, "out of memory");
    add_sources(a, kind, policy->lines[0].step_s);
    add_archives(a, policy);
    for (int i = 0; i < a->count; i++)
        a->list[i] = a->text[i];
    rrd_clear_error();
    int r = rrd_create_r(path, (unsigned long)policy->lines[0].step_s, (time_t)start_s, a->count, a->list);
    free(a);
    return r ? library_error(path, error) : 0;
}

int rrd_file_last(const char *path, int64_t *ret_last_s, struct error *error)
{
    if (access(path, F_OK) != 0)
        return error_set(error, -ENOENT, "%s: no such archive", path);
    rrd_clear_error();
    time_t last = rrd_last_r(path);
    if (last == (time_t)-1)
        return library_error(path, error);
    *ret_last_s = last;
    return 0;
}

int rrd_file_update(const char *path, const char **rows, int count, struct error *error)
{
    rrd_clear_error();
    return rrd_update_r(path, NULL, count, rows) ? library_error(path, error) : 0;
}

int rrd_file_fetch(const char *path, enum consolidation function, int64_t from_s, int64_t to_s, int64_t step_s,
                   struct rrd_rows *ret, struct error *error)
{
    time_t start = (time_t)from_s, end = (time_t)to_s;
    unsigned long step = step_s > 0 ? (unsigned long)step_s : 1, columns;
    char **names;
    rrd_value_t *data;
    rrd_clear_error();
    if (rrd_fetch_r(path, functions[function], &start, &end, &step, &columns, &names, &data))
        return library_error(path, error);
    for (unsigned long i = 0; i < columns; i++)
        rrd_freemem(names[i]);
    rrd_freemem(names);
    *ret = (struct rrd_rows){.start_s = start, .step_s = (int64_t)step, .columns = columns};
    ret->rows = (size_t)(end - start) / step;
    size_t size = ret->rows * columns * sizeof(double);
    ret->values = malloc(size ? size : 1);
    if (ret->values)
        memcpy(ret->values, data, size);
    rrd_freemem(data);
    return ret->values ? 0 : error_set(error, -ENOMEM, "out of memory");
}
