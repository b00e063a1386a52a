#include "support/run.h"

#include <stdio.h>
#include <stdlib.h>

int test_run(Suite *suite)
{
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int ran = srunner_ntests_run(runner);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return ran > 0 && failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

void test_skip(const char *why)
{
    fprintf(stderr, "SKIPPED: %s\n", why);
    exit(77);
}
