#include "derive.h"

#include <math.h>

/* Shown for a counter's unit per second; the texts must outlive the series that carry them. */
static const char *rate_unit(const char *unit)
{
    static const char *const rates[][2] = {{"ns", "ns/s"},         {"B", "B/s"},     {"request", "request/s"},
                                           {"packet", "packet/s"}, {"KiB", "KiB/s"}, {"MiB", "MiB/s"}};
    for (size_t i = 0; i < sizeof rates / sizeof rates[0]; i++)
        if (text_equal(text_of(unit), text_of(rates[i][0])))
            return rates[i][1];
    return "1/s";
}

bool derive_rate_of(struct text name, struct text *ret)
{
    struct text rate = TEXT(".rate");
    *ret = (struct text){0};
    if (name.len <= rate.len || memcmp(name.data + name.len - rate.len, rate.data, rate.len) != 0)
        return false;
    *ret = (struct text){name.data, name.len - rate.len};
    return true;
}

bool derive(struct text name, struct derivation *ret)
{
    struct text counter;
    const struct meter *m = meter_find(name);
    *ret = (struct derivation){0};
    if (m) {
        *ret = (struct derivation){m, m->type == METER_CUMULATIVE ? DERIVE_USAGE : DERIVE_AS_IS, m->unit};
        return true;
    }
    if (text_equal(name, TEXT("cpu_util"))) {
        *ret = (struct derivation){meter_at(METER_CPU), DERIVE_CPU_UTIL, "%"};
        return true;
    }
    m = derive_rate_of(name, &counter) ? meter_find(counter) : NULL;
    if (!m || m->type != METER_CUMULATIVE)
        return false;
    *ret = (struct derivation){m, DERIVE_RATE, rate_unit(m->unit)};
    return true;
}

static double cpu_util(double ns_per_s, double vcpus)
{
    return vcpus > 0 ? ns_per_s / 1e9 / vcpus * 100.0 : NAN;
}

double derive_value(const struct derivation *d, const double *row, int64_t step_s)
{
    double stored = row[archive_column(d->meter)];
    switch (d->how) {
    case DERIVE_USAGE:
        return stored * (double)step_s;
    case DERIVE_CPU_UTIL:
        return cpu_util(stored, row[archive_column(meter_at(METER_VCPUS))]);
    case DERIVE_AS_IS:
    case DERIVE_RATE:
        break;
    }
    return stored;
}
