/* 128-bit integers: sums of usage (bytes times milliseconds outgrow 64 bits within an hour). */
#ifndef PLUVIO_BASE_WIDE_H
#define PLUVIO_BASE_WIDE_H

#include <stdint.h>

#include "pluvio/base/buf.h"

__extension__ typedef __int128 wide;

#define WIDE_SIZE 44

/* Decimal digits; @out holds WIDE_SIZE bytes. */
const char *wide_format(wide value, char *out);
bool wide_parse(struct text t, wide *ret);

#endif
