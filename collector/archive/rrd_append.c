#include "rrd_append.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define RRD_EXPORT_DEPRECATED /* the structures of the format */
#include <rrd.h>

#include "pluvio/archive/archive_layout.h"
#include "rrd_text.h"

enum function { AVERAGE, MIN, MAX, FUNCTIONS };
static const char *const function_names[FUNCTIONS] = {"AVERAGE", "MIN", "MAX"};
static const double neutral[FUNCTIONS] = {0, INFINITY, -INFINITY}; /* what a consolidation begins with */

void rrd_appender_finish(struct rrd_appender *a)
{
    buf_free(&a->bytes);
    buf_free(&a->steps);
    buf_free(&a->ring);
}

/* ---- the head ---- */

static struct rrd_head head_sizes(enum resource_kind kind, const struct archive_policy *policy)
{
    struct rrd_head h = {.sources = archive_layout(kind)->count, .rings = 3 * policy->count - 2};
    h.live_at = sizeof(stat_head_t) + h.sources * sizeof(ds_def_t) + h.rings * sizeof(rra_def_t);
    h.size = h.live_at + sizeof(live_head_t) + h.sources * sizeof(pdp_prep_t) +
             h.rings * h.sources * sizeof(cdp_prep_t) + h.rings * sizeof(rra_ptr_t);
    return h;
}

static void head_point(struct rrd_head *h, char *bytes)
{
    h->fixed = (const stat_head_t *)(void *)bytes;
    h->source = (const ds_def_t *)(const void *)(h->fixed + 1);
    h->ring = (const rra_def_t *)(const void *)(h->source + h->sources);
    h->live = (live_head_t *)(void *)(bytes + h->live_at);
    h->pdp = (pdp_prep_t *)(void *)(h->live + 1);
    h->cdp = (cdp_prep_t *)(void *)(h->pdp + h->sources);
    h->newest = (rra_ptr_t *)(void *)(h->cdp + h->rings * h->sources);
}

static int function_of(const rra_def_t *ring)
{
    for (int f = 0; f < FUNCTIONS; f++)
        if (strncmp(ring->cf_nam, function_names[f], CF_NAM_SIZE) == 0)
            return f;
    return -1;
}

static bool is_fixed_part(const struct rrd_head *h, int64_t step_s)
{
    const stat_head_t *f = h->fixed;
    return memcmp(f->cookie, RRD_COOKIE, sizeof f->cookie) == 0 && memchr(f->version, 0, sizeof f->version) &&
           strcmp(f->version, RRD_VERSION3) >= 0 && strcmp(f->version, RRD_VERSION5) <= 0 &&
           f->float_cookie == FLOAT_COOKIE && f->ds_cnt == h->sources && f->rra_cnt == h->rings &&
           f->pdp_step == (unsigned long)step_s;
}

/* A gauge without bounds, of which no part of a step is waiting. */
static bool is_plain_source(const struct rrd_head *h, size_t s)
{
    const ds_def_t *d = &h->source[s];
    const unival *waiting = h->pdp[s].scratch;
    return strncmp(d->dst, "GAUGE", DST_SIZE) == 0 && d->par[DS_mrhb_cnt].u_cnt >= h->fixed->pdp_step &&
           isnan(d->par[DS_min_val].u_val) && isnan(d->par[DS_max_val].u_val) && waiting[PDP_unkn_sec_cnt].u_cnt == 0 &&
           !(fabs(waiting[PDP_val].u_val) > 0);
}

static bool is_plain_ring(const struct rrd_head *h, size_t r, size_t count)
{
    const rra_def_t *d = &h->ring[r];
    int f = function_of(d);
    return f >= 0 && (d->pdp_cnt > 1 || f == AVERAGE) && d->pdp_cnt > 0 && count / d->pdp_cnt < d->row_cnt &&
           d->row_cnt < (1UL << 32) && h->newest[r].cur_row < d->row_cnt;
}

static bool is_ours(const struct rrd_head *h, int64_t step_s, size_t count, int64_t file_size)
{
    size_t size = h->size;
    if (!is_fixed_part(h, step_s) || h->live->last_up_usec || h->live->last_up % step_s)
        return false;
    for (size_t s = 0; s < h->sources; s++)
        if (!is_plain_source(h, s))
            return false;
    for (size_t r = 0; r < h->rings; r++) {
        if (!is_plain_ring(h, r, count))
            return false;
        size += h->ring[r].row_cnt * h->sources * sizeof(double);
    }
    return size == (size_t)file_size;
}

static bool follow(const struct rrd_head *h, const double *rows, size_t count, int64_t step_s)
{
    for (size_t i = 0; i < count; i++)
        if ((int64_t)rows[i * (h->sources + 1)] != h->live->last_up + (int64_t)(i + 1) * step_s)
            return false;
    return true;
}

/* ---- arithmetic, in librrd's order ---- */

/* librrd multiplies a gauge by the seconds that it held, and divides again. */
static void make_steps(const struct rrd_head *h, const double *rows, size_t count, double *steps)
{
    double step = (double)h->fixed->pdp_step;
    for (size_t i = 0; i < count; i++)
        for (size_t s = 0; s < h->sources; s++)
            steps[i * h->sources + s] = rows[i * (h->sources + 1) + 1 + s] * step / step * step / step;
}

static double join(enum function f, double so_far, double v)
{
    if (f == AVERAGE)
        return so_far + v;
    return (f == MIN ? v < so_far : v > so_far) ? v : so_far;
}

static void gather(enum function f, unival *c, double v)
{
    double *so_far = &c[CDP_val].u_val;
    if (isnan(v))
        c[CDP_unkn_pdp_cnt].u_cnt++;
    else
        *so_far = isnan(*so_far) ? v : join(f, *so_far, v);
}

static double complete(enum function f, unival *c, double v, const rra_def_t *ring)
{
    unsigned long unknown = c[CDP_unkn_pdp_cnt].u_cnt + (isnan(v) ? 1 : 0);
    double so_far = isnan(c[CDP_val].u_val) ? neutral[f] : c[CDP_val].u_val;
    double all = join(f, so_far, isnan(v) ? neutral[f] : v);
    if (f == AVERAGE)
        all /= (double)(ring->pdp_cnt - unknown);
    if ((double)unknown > (double)ring->pdp_cnt * ring->par[RRA_cdp_xff_val].u_val)
        all = NAN;
    c[CDP_primary_val].u_val = all;
    c[CDP_secondary_val].u_val = v;
    c[CDP_val].u_val = neutral[f];
    c[CDP_unkn_pdp_cnt].u_cnt = 0;
    return all;
}

/* What ring @r gets of the steps, into @out; returns how many rows. */
static size_t fill_ring(struct rrd_head *h, size_t r, const double *steps, size_t count, double *out)
{
    const rra_def_t *ring = &h->ring[r];
    enum function f = (enum function)function_of(ring);
    cdp_prep_t *c = h->cdp + r * h->sources;
    unsigned long at = (unsigned long)h->live->last_up / h->fixed->pdp_step;
    size_t filled = 0;
    for (size_t i = 0; i < count; i++, steps += h->sources) {
        bool last = ++at % ring->pdp_cnt == 0;
        for (size_t s = 0; s < h->sources; s++) {
            if (ring->pdp_cnt == 1)
                out[s] = c[s].scratch[CDP_primary_val].u_val = steps[s];
            else if (last)
                out[s] = complete(f, c[s].scratch, steps[s], ring);
            else
                gather(f, c[s].scratch, steps[s]);
        }
        out += last ? h->sources : 0;
        filled += last;
    }
    return filled;
}

/* ---- the file ---- */

static int put(int fd, const void *data, size_t len, size_t at)
{
    for (const char *from = data; len;) {
        ssize_t n = pwrite(fd, from, len, (off_t)at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? -errno : -EIO;
        from += n;
        at += (size_t)n;
        len -= (size_t)n;
    }
    return 0;
}

/* Rows behind the newest one of ring @r, which begins at @begin in the file; around its end where that is. */
static int put_ring(int fd, struct rrd_head *h, size_t r, size_t begin, const double *rows, size_t count)
{
    size_t all = h->ring[r].row_cnt, width = h->sources * sizeof(double);
    size_t first = (h->newest[r].cur_row + 1) % all, before_end = all - first < count ? all - first : count;
    int e = put(fd, rows, before_end * width, begin + first * width);
    if (e == 0)
        e = put(fd, rows + before_end * h->sources, (count - before_end) * width, begin);
    h->newest[r].cur_row = (h->newest[r].cur_row + count) % all;
    return e;
}

static void finish_head(struct rrd_head *h, const double *last_row, const double *last_step)
{
    for (size_t s = 0; s < h->sources; s++) {
        pdp_prep_t *p = &h->pdp[s];
        p->scratch[PDP_unkn_sec_cnt].u_cnt = 0;
        p->scratch[PDP_val].u_val = last_step[s] * 0.0; /* NAN stays NAN */
        memset(p->last_ds, 0, LAST_DS_LEN);
        rrd_text_value(last_row[1 + s], p->last_ds, LAST_DS_LEN);
    }
    h->live->last_up = (time_t)last_row[0];
}

/* The rings first: as long as the head does not speak of them, their new rows are not there. */
static int write_all(struct rrd_appender *a)
{
    struct rrd_head *h = &a->head;
    double *steps = (double *)(void *)a->steps.data, *ring = (double *)(void *)a->ring.data;
    size_t begin = h->size;
    make_steps(h, a->rows, a->count, steps);
    for (size_t r = 0; r < h->rings; r++) {
        size_t filled = fill_ring(h, r, steps, a->count, ring);
        int e = filled ? put_ring(a->fd, h, r, begin, ring, filled) : 0;
        if (e)
            return e;
        begin += h->ring[r].row_cnt * h->sources * sizeof(double);
    }
    finish_head(h, a->rows + (a->count - 1) * (h->sources + 1), steps + (a->count - 1) * h->sources);
    return put(a->fd, a->bytes.data + h->live_at, h->size - h->live_at, h->live_at);
}

static bool room(struct rrd_appender *a)
{
    size_t steps = a->count * a->head.sources * sizeof(double);
    buf_clear(&a->bytes);
    buf_clear(&a->steps);
    buf_clear(&a->ring);
    return buf_reserve(&a->bytes, a->head.size) && buf_reserve(&a->steps, steps) && buf_reserve(&a->ring, steps);
}

static int read_head(struct rrd_appender *a, int64_t step_s)
{
    struct stat st;
    if (!room(a))
        return -ENOMEM;
    if (fstat(a->fd, &st))
        return -errno;
    if (pread(a->fd, a->bytes.data, a->head.size, 0) != (ssize_t)a->head.size)
        return -ENOTSUP;
    head_point(&a->head, a->bytes.data);
    return is_ours(&a->head, step_s, a->count, st.st_size) && follow(&a->head, a->rows, a->count, step_s) ? 0
                                                                                                          : -ENOTSUP;
}

int rrd_append_open(struct rrd_appender *a, const char *path, enum resource_kind kind,
                    const struct archive_policy *policy, const double *rows, size_t count, struct error *error)
{
    a->head = head_sizes(kind, policy);
    a->rows = rows;
    a->count = count;
    a->fd = open(path, O_RDWR | O_CLOEXEC);
    if (a->fd < 0)
        return error_set(error, -errno, "%s: %s", path, strerror(errno));
    int r = read_head(a, policy->lines[0].step_s);
    if (r)
        rrd_append_close(a);
    return r && r != -ENOTSUP ? error_set(error, r, "%s: %s", path, strerror(-r)) : r;
}

struct text rrd_append_head(const struct rrd_appender *a)
{
    return (struct text){a->bytes.data, a->head.size};
}

int rrd_append_write(struct rrd_appender *a)
{
    int r = write_all(a);
    rrd_append_close(a);
    return r;
}

void rrd_append_close(struct rrd_appender *a)
{
    close(a->fd);
}
