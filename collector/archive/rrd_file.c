#include "rrd_file.h"

#include <errno.h>
#include <fcntl.h>
#include <rrd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_ARGUMENTS (ARCHIVE_MAX_COLUMNS + 3 * ARCHIVE_POLICY_LINES)
#define ARGUMENT_SIZE 64

static const char *const functions[] = {"AVERAGE", "MIN", "MAX"};

static int library_error(const char *path, int code, struct error *error)
{
    return error_set(error, code, "%s: librrd: %s", path, rrd_get_error());
}

struct arguments {
    char text[MAX_ARGUMENTS][ARGUMENT_SIZE];
    const char *list[MAX_ARGUMENTS];
    int count;
};

static const char *source_name(const struct archive_layout *layout, size_t column)
{
    return layout->columns[column] ? layout->columns[column]->data_source : "value";
}

static void add_sources(struct arguments *a, enum resource_kind kind, int64_t step_s)
{
    const struct archive_layout *layout = archive_layout(kind);
    for (size_t i = 0; i < layout->count; i++)
        snprintf(a->text[a->count++], ARGUMENT_SIZE, "DS:%s:GAUGE:%lld:U:U", source_name(layout, i), (long long)step_s);
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
        return error_set(error, -ENOMEM, "%s: out of memory", path);
    add_sources(a, kind, policy->lines[0].step_s);
    add_archives(a, policy);
    for (int i = 0; i < a->count; i++)
        a->list[i] = a->text[i];
    rrd_clear_error();
    int r =
        rrd_create_r2(path, (unsigned long)policy->lines[0].step_s, (time_t)start_s, 1, NULL, NULL, a->count, a->list);
    free(a);
    return r ? library_error(path, -EIO, error) : 0;
}

/* Can the system read it? Then what librrd says against it is about its content. */
static int can_open(const char *path, struct error *error)
{
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return error_set(error, -errno, "%s: %s", path, strerror(errno));
    close(fd);
    return 0;
}

/* @ret->values stays librrd's own. Columns beyond ARCHIVE_MAX_COLUMNS are -EBADMSG. */
static int fetch(const char *path, enum consolidation function, time_t start, time_t end, unsigned long step,
                 struct rrd_rows *ret, struct error *error)
{
    unsigned long columns;
    char **names;
    rrd_value_t *data;
    rrd_clear_error();
    if (rrd_fetch_r(path, functions[function], &start, &end, &step, &columns, &names, &data))
        return library_error(path, -EIO, error);
    *ret = (struct rrd_rows){.start_s = start, .step_s = (int64_t)step, .columns = columns, .values = data};
    ret->rows = (size_t)(end - start) / step;
    for (unsigned long i = 0; i < columns; i++) {
        if (i < ARCHIVE_MAX_COLUMNS)
            snprintf(ret->names[i], RRD_NAME_SIZE, "%s", names[i]);
        rrd_freemem(names[i]);
    }
    rrd_freemem(names);
    if (columns <= ARCHIVE_MAX_COLUMNS)
        return 0;
    rrd_freemem(data);
    return error_set(error, -EBADMSG, "%s: %lu data sources", path, columns);
}

static bool is_layout(const struct rrd_rows *rows, const struct archive_layout *layout)
{
    if (rows->columns != layout->count)
        return false;
    for (size_t i = 0; i < layout->count; i++)
        if (strcmp(rows->names[i], source_name(layout, i)) != 0)
            return false;
    return true;
}

/* Is it the file, or the machine, that librrd complains about? errno was 0 before it was called. */
static int content_or_system(void)
{
    return errno == ENOMEM || errno == EIO || errno == EMFILE || errno == ENFILE ? -errno : -EBADMSG;
}

int rrd_file_look(const char *path, enum resource_kind kind, const struct archive_policy *policy, int64_t *ret_last_s,
                  struct error *error)
{
    struct rrd_rows rows;
    int64_t step = policy->lines[0].step_s;
    int r = can_open(path, error);
    if (r)
        return r;
    rrd_clear_error();
    errno = 0;
    time_t last = rrd_last_r(path);
    if (last == (time_t)-1)
        return library_error(path, content_or_system(), error);
    errno = 0;
    r = fetch(path, CONSOLIDATION_AVERAGE, last - (time_t)step, last, 1, &rows, error);
    if (r)
        return r == -EBADMSG ? r : library_error(path, content_or_system(), error);
    bool ours = rows.step_s == step && is_layout(&rows, archive_layout(kind));
    rrd_freemem(rows.values);
    if (!ours)
        return error_set(error, -EBADMSG, "%s: made with other data sources or another step", path);
    *ret_last_s = last;
    return 0;
}

/* librrd keeps 112 to 120 bytes for a data source, for its newest value and for a ring, and 80 for each source in each
 * ring (rrd_format.h, where its structures of ten 8-byte words stand); a little more does no harm. */
size_t rrd_file_head_bytes(enum resource_kind kind, const struct archive_policy *policy)
{
    size_t sources = archive_layout(kind)->count, rings = 3 * policy->count;
    return 1024 + 320 * sources + 320 * rings + 96 * sources * rings;
}

int rrd_file_update(const char *path, const char **rows, int count, struct error *error)
{
    rrd_clear_error();
    return rrd_update_r(path, NULL, count, rows) ? library_error(path, -EIO, error) : 0;
}

static int64_t clamp(int64_t value, int64_t low, int64_t high)
{
    return value < low ? low : value > high ? high : value;
}

/* librrd chooses by overlap, then by step: a range that lies within the line leaves it no choice. */
int rrd_file_fetch(const char *path, enum consolidation function, const struct archive_policy_line *line,
                   int64_t from_s, int64_t to_s, int64_t last_s, struct rrd_rows *ret, struct error *error)
{
    int64_t step = line->step_s, newest = last_s - last_s % step, oldest = newest - line->keep_s;
    int64_t from = clamp(from_s - from_s % step, oldest, newest);
    int64_t to = clamp(to_s, from, newest);
    struct rrd_rows rows;
    *ret = (struct rrd_rows){.start_s = from, .step_s = step};
    if (to <= from)
        return 0;
    int r = fetch(path, function, (time_t)from, (time_t)to, (unsigned long)step, &rows, error);
    if (r)
        return r;
    rrd_value_t *data = rows.values;
    size_t wanted = (size_t)((to - from + step - 1) / step);
    if (rows.rows > wanted)
        rows.rows = wanted;
    rows.values = malloc((rows.rows * rows.columns + 1) * sizeof(double));
    if (rows.values)
        memcpy(rows.values, data, rows.rows * rows.columns * sizeof(double));
    rrd_freemem(data);
    if (!rows.values)
        return error_set(error, -ENOMEM, "%s: out of memory", path);
    *ret = rows;
    return 0;
}
