#include "split.h"

#include "pluvio/base/wide.h"

int64_t split_before(int64_t amount, int64_t from_ms, int64_t to_ms, int64_t boundary_ms)
{
    if (boundary_ms <= from_ms)
        return 0;
    if (boundary_ms >= to_ms)
        return amount;
    int64_t product, part = boundary_ms - from_ms, whole = to_ms - from_ms;
    if (!__builtin_mul_overflow(amount, part, &product))
        return product / whole;
    return (int64_t)((wide)amount * part / whole);
}

int64_t split_within(int64_t amount, int64_t from_ms, int64_t to_ms, int64_t low_ms, int64_t high_ms)
{
    return split_before(amount, from_ms, to_ms, high_ms) - split_before(amount, from_ms, to_ms, low_ms);
}
