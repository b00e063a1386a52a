#include "pluvio/base/timestamp.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>

#define DAY_MS 86400000LL

/* Days since 1970-01-01 of a date, and back: the proleptic Gregorian calendar in 400-year eras of 146,097 days. */
static int64_t days_of(int64_t year, unsigned month, unsigned day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * ((int64_t)month + (month > 2 ? -3 : 9)) + 2) / 5 + (int64_t)day - 1;
    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

static void date_of(int64_t days, int64_t *year, unsigned *month, unsigned *day)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t day_of_era = days - era * 146097;
    int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t m = (5 * day_of_year + 2) / 153;
    *day = (unsigned)(day_of_year - (153 * m + 2) / 5 + 1);
    *month = (unsigned)(m < 10 ? m + 3 : m - 9);
    *year = year_of_era + era * 400 + (*month <= 2);
}

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

const char *timestamp_format(int64_t ms, char *out)
{
    int64_t days = floor_div(ms, DAY_MS), rest = ms - days * DAY_MS, year;
    unsigned month, day;
    date_of(days, &year, &month, &day);
    int n = snprintf(out, TIMESTAMP_SIZE, "%04lld-%02u-%02uT%02d:%02d:%02d", (long long)year, month, day,
                     (int)(rest / 3600000), (int)(rest / 60000 % 60), (int)(rest / 1000 % 60));
    if (n < 0 || n > TIMESTAMP_SIZE - 6)
        n = 0;
    if (rest % 1000)
        snprintf(out + n, TIMESTAMP_SIZE - (size_t)n, ".%03dZ", (int)(rest % 1000));
    else
        snprintf(out + n, TIMESTAMP_SIZE - (size_t)n, "Z");
    return out;
}

struct scan {
    const char *at, *end;
    bool failed;
};

static int64_t digits(struct scan *s, int count)
{
    int64_t value = 0;
    for (int i = 0; i < count; i++) {
        if (s->at == s->end || *s->at < '0' || *s->at > '9') {
            s->failed = true;
            return 0;
        }
        value = value * 10 + (*s->at++ - '0');
    }
    return value;
}

static bool accept(struct scan *s, char c)
{
    if (s->failed || s->at == s->end || *s->at != c)
        return false;
    s->at++;
    return true;
}

static void expect(struct scan *s, char c)
{
    s->failed |= !accept(s, c);
}

static int64_t fraction_ms(struct scan *s)
{
    int64_t ms = 0, weight = 100, count = 0;
    for (; s->at < s->end && *s->at >= '0' && *s->at <= '9'; s->at++, count++, weight /= 10)
        ms += (*s->at - '0') * weight;
    s->failed |= count == 0;
    return ms;
}

static int64_t zone_ms(struct scan *s)
{
    if (s->at == s->end || accept(s, 'Z') || accept(s, 'z'))
        return 0;
    int64_t sign = accept(s, '-') ? -1 : 1;
    if (sign > 0)
        expect(s, '+');
    int64_t hours = digits(s, 2);
    accept(s, ':');
    int64_t minutes = digits(s, 2);
    s->failed |= hours > 23 || minutes > 59;
    return sign * (hours * 3600000 + minutes * 60000);
}

static int64_t time_of_day_ms(struct scan *s)
{
    int64_t hour = digits(s, 2);
    expect(s, ':');
    int64_t minute = digits(s, 2), second = 0, ms = 0;
    if (accept(s, ':')) {
        second = digits(s, 2);
        if (accept(s, '.'))
            ms = fraction_ms(s);
    }
    s->failed |= hour > 23 || minute > 59 || second > 60; /* 60: a leap second counts as the next second */
    return hour * 3600000 + minute * 60000 + second * 1000 + ms - zone_ms(s);
}

static int calendar_parse(struct text t, int64_t *ret_ms)
{
    struct scan s = {t.data, t.data + t.len, false};
    int64_t year = digits(&s, 4);
    expect(&s, '-');
    unsigned month = (unsigned)digits(&s, 2);
    expect(&s, '-');
    unsigned day = (unsigned)digits(&s, 2);
    if (s.failed || month < 1 || month > 12 || day < 1)
        return -EINVAL;
    int64_t days = days_of(year, month, day), check_year;
    unsigned check_month, check_day;
    date_of(days, &check_year, &check_month, &check_day);
    if (check_month != month || check_day != day)
        return -EINVAL; /* the 31st of a shorter month */
    int64_t ms = days * DAY_MS;
    if (s.at < s.end) {
        if (!accept(&s, 'T') && !accept(&s, 't') && !accept(&s, ' '))
            return -EINVAL;
        ms += time_of_day_ms(&s);
    }
    if (s.failed || s.at != s.end)
        return -EINVAL;
    *ret_ms = ms;
    return 0;
}

int timestamp_parse(struct text t, int64_t now_ms, int64_t *ret_ms)
{
    int64_t number;
    if (text_equal(t, TEXT("now"))) {
        *ret_ms = now_ms;
        return 0;
    }
    if (t.len > 1 && t.data[0] == '-' && duration_parse((struct text){t.data + 1, t.len - 1}, &number) == 0)
        return __builtin_sub_overflow(now_ms, number, ret_ms) ? -EINVAL : 0;
    if (text_to_i64(t, &number))
        return number < 0 || number > 8000000000LL ? -EINVAL : (*ret_ms = number * 1000, 0);
    return t.len ? calendar_parse(t, ret_ms) : -EINVAL;
}

static const struct unit {
    const char *name;
    int64_t ms;
} units[] = {{"d", DAY_MS}, {"h", 3600000}, {"min", 60000}, {"m", 60000}, {"s", 1000}, {"ms", 1}};

int duration_parse(struct text t, int64_t *ret_ms)
{
    size_t n = 0;
    while (n < t.len && t.data[n] >= '0' && t.data[n] <= '9')
        n++;
    struct text unit = {t.data + n, t.len - n};
    int64_t number;
    if (n == 0)
        return -EINVAL;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (!text_equal(unit, text_of(units[i].name)))
            continue;
        if (!text_to_i64((struct text){t.data, n}, &number) || __builtin_mul_overflow(number, units[i].ms, &number))
            return -ERANGE;
        *ret_ms = number;
        return 0;
    }
    return -EINVAL;
}

const char *duration_format(int64_t ms, char *out)
{
    const struct unit *u = units;
    while (u->ms > 1 && (ms == 0 || ms % u->ms))
        u++;
    if (ms == 0)
        u = &units[4];
    snprintf(out, TIMESTAMP_SIZE, "%lld%s", (long long)(ms / u->ms), u->name);
    return out;
}

int64_t day_start_ms(int64_t ms)
{
    return floor_div(ms, DAY_MS) * DAY_MS;
}

int64_t month_start_ms(int64_t ms)
{
    int64_t year;
    unsigned month, day;
    date_of(floor_div(ms, DAY_MS), &year, &month, &day);
    return days_of(year, month, 1) * DAY_MS;
}

int64_t month_next_ms(int64_t ms)
{
    int64_t year;
    unsigned month, day;
    date_of(floor_div(ms, DAY_MS), &year, &month, &day);
    return days_of(month == 12 ? year + 1 : year, month == 12 ? 1 : month + 1, 1) * DAY_MS;
}
