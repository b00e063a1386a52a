#include "pluvio/base/wide.h"

const char *wide_format(wide value, char *out)
{
    __extension__ unsigned __int128 size = value < 0 ? -(unsigned __int128)value : (unsigned __int128)value;
    char reversed[WIDE_SIZE];
    size_t n = 0;
    do {
        reversed[n++] = (char)('0' + (int)(size % 10));
        size /= 10;
    } while (size);
    char *to = out;
    if (value < 0)
        *to++ = '-';
    while (n)
        *to++ = reversed[--n];
    *to = 0;
    return out;
}

bool wide_parse(struct text t, wide *ret)
{
    bool negative = t.len && t.data[0] == '-';
    wide value = 0;
    if (t.len == (size_t)negative || t.len > 38 + (size_t)negative) /* 38 digits always fit */
        return false;
    for (size_t i = negative; i < t.len; i++) {
        if (t.data[i] < '0' || t.data[i] > '9')
            return false;
        value = value * 10 + (t.data[i] - '0');
    }
    *ret = negative ? -value : value;
    return true;
}
