/* Quantities for people: rounded to three digits, in a unit of a size that can be imagined. Pure. */
#ifndef API_CLI_HUMAN_H
#define API_CLI_HUMAN_H

#include "pluvio/base/buf.h"
#include "pluvio/base/wide.h"

#define HUMAN_SIZE 64

/* "3.20 GiB" of B, "1.50 h" of ns, "4.00 vcpu h" of vcpu*ms, "12.5 M" of request; "" where the exact figure is as
 * good. @out holds HUMAN_SIZE bytes. */
const char *human_quantity(wide quantity, struct text unit, char *out);

#endif
