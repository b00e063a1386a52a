/* UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing past U+10FFFF. */
#ifndef COMMON_WIRE_UTF8_H
#define COMMON_WIRE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pluvio/base/buf.h"

/* How long the sequence at @s is, of which @left > 0 bytes are there; 0 if it is none. */
size_t utf8_sequence(const uint8_t *s, size_t left);
/* All of @t, and no NUL inside. */
bool utf8_valid(struct text t);

#endif
