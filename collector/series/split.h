/* Usage over a span of time, split at boundaries without losing a unit. Pure.
 *
 * The share before a boundary is floor(amount * part / whole) in 128 bits, so that the shares of adjoining windows
 * always add up to the amount, whatever the windows: archive steps and ledger periods use the same function and agree
 * wherever their boundaries meet. Usage of a span without length lies at its moment.
 */
#ifndef COLLECTOR_SERIES_SPLIT_H
#define COLLECTOR_SERIES_SPLIT_H

#include <stdint.h>

/* What of @amount, done evenly over [from_ms, to_ms], was done before @boundary_ms. amount >= 0, to_ms >= from_ms. */
int64_t split_before(int64_t amount, int64_t from_ms, int64_t to_ms, int64_t boundary_ms);

/* What of it falls into the window [low_ms, high_ms). */
int64_t split_within(int64_t amount, int64_t from_ms, int64_t to_ms, int64_t low_ms, int64_t high_ms);

/* Milliseconds of [from_ms, to_ms] that lie in [low_ms, high_ms); 0 if none. */
static inline int64_t overlap_ms(int64_t from_ms, int64_t to_ms, int64_t low_ms, int64_t high_ms)
{
    int64_t from = from_ms > low_ms ? from_ms : low_ms, to = to_ms < high_ms ? to_ms : high_ms;
    return to > from ? to - from : 0;
}

/* Start of the window of @length_ms, counted from the epoch, that holds @time_ms >= 0. */
static inline int64_t window_start(int64_t time_ms, int64_t length_ms)
{
    return time_ms - time_ms % length_ms;
}

#endif
