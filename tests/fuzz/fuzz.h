/* What the fuzz targets share: a check that ends the program, with the input that broke it left for libFuzzer to keep.
 */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

#include "pluvio/base/buf.h"

/* libFuzzer's entry; replay.c calls it where there is no libFuzzer. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define must(condition)                                                                                                \
    do {                                                                                                               \
        if (!(condition))                                                                                              \
            fuzz_broken(__FILE__, __LINE__, #condition);                                                               \
    } while (0)
_Noreturn void fuzz_broken(const char *file, int line, const char *condition);

static inline struct text fuzz_text(const uint8_t *data, size_t size)
{
    return (struct text){(const char *)data, size};
}

/* The bytes before the first newline; @rest is what follows it. */
struct text fuzz_line(struct text *rest);

#endif
