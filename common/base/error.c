#include "pluvio/base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int error_set(struct error *error, int code, const char *format, ...)
{
    if (!error)
        return code;
    va_list args;
    va_start(args, format);
    error->code = code;
    vsnprintf(error->text, sizeof error->text, format, args);
    va_end(args);
    return code;
}

int error_prefix(struct error *error, const char *format, ...)
{
    if (!error)
        return 0;
    char old[sizeof error->text];
    memcpy(old, error->text, sizeof old);
    va_list args;
    va_start(args, format);
    int n = vsnprintf(error->text, sizeof error->text, format, args);
    va_end(args);
    size_t used = n < 0 ? 0 : (size_t)n;
    if (used + 2 < sizeof error->text)
        snprintf(error->text + used, sizeof error->text - used, ": %.*s", (int)(sizeof error->text - used - 3), old);
    return error->code;
}
