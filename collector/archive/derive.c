#include "derive.h"

#include <math.h>

static bool without_rate(struct text name, struct text *ret)
{
    struct text rate = TEXT(".rate");
    if (name.len <= rate.len || memcmp(name.data + name.len - rate.len, rate.data, rate.len) != 0)
        return false;
    *ret = (struct text){name.data, name.len - rate.len};
    return true;
}

bool derive(struct text name, struct derivation *ret)
{
    struct text counter;
    *ret = (struct derivation){.meter = meter_find(name), .name = name, .unit = ""};
    if (ret->meter) {
        ret->how = ret->meter->basis == BASIS_CONSUMED ? DERIVE_USAGE : DERIVE_AS_IS;
        ret->unit = ret->meter->unit;
        return true;
    }
    if (text_equal(name, TEXT("cpu_util"))) {
        *ret = (struct derivation){meter_at(METER_CPU), DERIVE_CPU_UTIL, "%", TEXT("cpu")};
        return true;
    }
    if (!without_rate(name, &counter))
        return false;
    *ret = (struct derivation){.meter = meter_find(counter), .how = DERIVE_RATE, .name = counter, .unit = ""};
    if (!ret->meter)
        return false;
    ret->unit = ret->meter->unit;
    return ret->meter->basis == BASIS_CONSUMED;
}

double derive_value(const struct derivation *d, const double *row, int64_t step_s)
{
    double stored = row[d->meter ? archive_column(d->meter) : 0];
    switch (d->how) {
    case DERIVE_USAGE:
        return stored * (double)step_s;
    case DERIVE_CPU_UTIL:
        return stored / 1e9 / row[archive_column(meter_at(METER_VCPUS))] * 100.0;
    case DERIVE_AS_IS:
    case DERIVE_RATE:
        break;
    }
    return stored;
}
