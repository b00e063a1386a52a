#include "rrd_text.h"

#include <math.h>
#include <stdio.h>

#define NUMBER_SIZE 32                 /* sign, 20 digits, "e-308", separator */
#define EXACT       9007199254740992.0 /* 2^53 */
#define DIGITS      16                 /* a mantissa has at most so many, and is below EXACT */

static char *put_digits(char *at, uint64_t n)
{
    char digits[20];
    size_t count = 0;
    do
        digits[count++] = (char)('0' + n % 10);
    while (n /= 10);
    while (count)
        *at++ = digits[--count];
    return at;
}

static char *put_signed(char *at, int64_t n)
{
    if (n < 0)
        *at++ = '-';
    return put_digits(at, n < 0 ? 0 - (uint64_t)n : (uint64_t)n);
}

/* 10^n for 0 <= n <= 22: those are exact. */
static double power(int n)
{
    static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                    1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    return powers[n];
}

/* A fraction as mantissa and exponent: 0.75 is 7500000000000000e-16. Only for 1e-6 <= @v < 1e15. */
static char *put_fraction(char *at, double v)
{
    int scale = DIGITS - 1;
    double bound = 1;
    while (v >= bound && scale > 0) {
        bound *= 10;
        scale--;
    }
    bound = 0.1;
    while (v < bound) {
        bound /= 10;
        scale++;
    }
    at = put_digits(at, (uint64_t)llround(v * power(scale)));
    *at++ = 'e';
    return put_signed(at, -scale);
}

static char *put_value(char *at, double v)
{
    if (!isfinite(v)) {
        *at++ = 'U';
        return at;
    }
    if (v < 0)
        *at++ = '-';
    v = fabs(v);
    if (v < EXACT && v == floor(v))
        return put_digits(at, (uint64_t)v);
    if (v >= 1e-6 && v < 1e15)
        return put_fraction(at, v);
    return at + snprintf(at, NUMBER_SIZE - 2, "%.15e", v); /* rare: very large or very small */
}

void rrd_text_row(struct buf *out, int64_t end_s, const double *values, size_t count)
{
    char *start = buf_reserve(out, (count + 1) * NUMBER_SIZE);
    if (!start)
        return;
    char *at = put_signed(start, end_s);
    for (size_t i = 0; i < count; i++) {
        *at++ = ':';
        at = put_value(at, values ? values[i] : NAN);
    }
    *at++ = 0;
    out->len += (size_t)(at - start);
}

void rrd_text_value(double v, char *out, size_t size)
{
    char text[NUMBER_SIZE];
    size_t n = (size_t)(put_value(text, v) - text);
    text_copy((struct text){text, n}, out, size);
}
