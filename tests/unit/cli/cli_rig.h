/* Runs the command line within the test: its words in, what it printed and its status out. */
#ifndef TESTS_UNIT_CLI_CLI_RIG_H
#define TESTS_UNIT_CLI_CLI_RIG_H

#include "api/cli/cli.h"

struct cli_rig {
    int status;
    char *out, *err; /* NUL-terminated */
    size_t out_len, err_len;
};

/* @api as PLUVIO_API would say it, or NULL; then the words behind "pluvio", ended by NULL. */
void cli_rig_run(struct cli_rig *r, const char *api, ...) __attribute__((sentinel));
void cli_rig_free(struct cli_rig *r);

#endif
