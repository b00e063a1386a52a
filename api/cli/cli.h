/* The command line `pluvio [--api URL] NOUN [VERB] [options]`: finds the command, reads its options, runs it.
 *
 * Commands ask the HTTP API; `decode`, and `audit --ledger`, read a topic or a file themselves. Options that are not
 * about output are the API's parameters, by the same names.
 */
#ifndef API_CLI_CLI_H
#define API_CLI_CLI_H

#include <stdio.h>

#define CLI_DEFAULT_API "http://127.0.0.1:8777"

enum cli_status {
    CLI_DONE = 0,
    CLI_FAILED = 1, /* no answer, a refusal, or an audit with mismatches */
    CLI_MISUSED = 2 /* the command line is wrong, or asks for what cannot be */
};

struct cli {
    FILE *out, *err;
    const char *api; /* from the environment; NULL or empty: CLI_DEFAULT_API. --api wins */
};

/* The program's exit status, an enum cli_status. */
int cli_run(const struct cli *cli, int argc, char **argv);

#endif
