#include "pluvio/config/suggest.h"

#include <string.h>

#define MAX_NAME 64

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Optimal string alignment: insert, delete, replace, swap neighbours. */
static size_t distance(const char *a, size_t n, const char *b, size_t m)
{
    size_t d[MAX_NAME + 1][MAX_NAME + 1];
    for (size_t i = 0; i <= n; i++)
        d[i][0] = i;
    for (size_t j = 0; j <= m; j++)
        d[0][j] = j;
    for (size_t i = 1; i <= n; i++) {
        for (size_t j = 1; j <= m; j++) {
            d[i][j] = least(least(d[i - 1][j] + 1, d[i][j - 1] + 1), d[i - 1][j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                d[i][j] = least(d[i][j], d[i - 2][j - 2] + 1);
        }
    }
    return d[n][m];
}

const char *suggest(const char *wrong, const char *const *names, size_t count)
{
    size_t n = strlen(wrong), best = 0;
    const char *nearest = NULL;
    if (n == 0 || n > MAX_NAME)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        size_t m = strlen(names[i]);
        size_t off = m > MAX_NAME ? MAX_NAME : distance(wrong, n, names[i], m);
        if ((off <= 2 || 3 * off <= n) && off < n && (!nearest || off < best)) {
            nearest = names[i];
            best = off;
        }
    }
    return nearest;
}
