#include "human.h"

#include <math.h>
#include <stdio.h>

#define MS_PER_HOUR 3600000.0

static const char *const binary[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
static const char *const decimal[] = {"", "k", "M", "G", "T", "P", "E"};
#define PREFIXES 7

/* Three digits that count. */
static const char *print(double value, const char *unit, const char *more, char *out)
{
    double size = fabs(value);
    int places = size >= 100 ? 0 : size >= 10 ? 1 : 2;
    snprintf(out, HUMAN_SIZE, "%.*f%s%s%s", places, value, *unit ? " " : "", unit, more);
    return out;
}

/* A sum just below a thousand must not print as 1000 of the smaller unit. */
static const char *scaled(double value, double base, size_t first, const char *const *units, const char *more,
                          char *out)
{
    size_t i = first;
    for (; i + 1 < PREFIXES && fabs(value) >= base - 0.5; i++)
        value /= base;
    return print(value, units[i], more, out);
}

static const char *duration(double ns, char *out)
{
    static const struct {
        double ns;
        const char *name;
    } units[] = {{3600e9, "h"}, {60e9, "min"}, {1e9, "s"}, {1e6, "ms"}, {1e3, "us"}};
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (fabs(ns) >= units[i].ns)
            return print(ns / units[i].ns, units[i].name, "", out);
    return print(ns, "ns", "", out);
}

/* Sizes held for a time: in hours. */
static const char *held(double hours, struct text unit, char *out)
{
    char name[24];
    for (size_t i = 0; i < PREFIXES; i++)
        if (text_equal(unit, text_of(binary[i])))
            return scaled(hours, 1024, i, binary, " h", out);
    text_copy(unit, name, sizeof name);
    return print(hours, name, " h", out);
}

const char *human_quantity(wide quantity, struct text unit, char *out)
{
    double value = (double)quantity;
    *out = 0;
    if (unit.len > 3 && memcmp(unit.data + unit.len - 3, "*ms", 3) == 0)
        return held(value / MS_PER_HOUR, (struct text){unit.data, unit.len - 3}, out);
    if (text_equal(unit, TEXT("ns")))
        return duration(value, out);
    for (size_t i = 0; i < PREFIXES; i++)
        if (text_equal(unit, text_of(binary[i])))
            return scaled(value, 1024, i, binary, "", out);
    return fabs(value) < 10000 ? out : scaled(value, 1000, 0, decimal, "", out);
}
