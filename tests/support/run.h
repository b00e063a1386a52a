/* A test program's main: run a suite, and exit with 0 only if something ran and nothing failed. */
#ifndef TESTS_SUPPORT_RUN_H
#define TESTS_SUPPORT_RUN_H

#include <check.h>

int test_run(Suite *suite);

/* Leave the program as skipped (77), saying what is missing; with CI=true that is a failure unless tests/optional.txt
 * allows it (run-tests looks). */
_Noreturn void test_skip(const char *why);

#endif
