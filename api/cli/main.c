/* pluvio: ask the collector, from a terminal. */
#include <stdio.h>
#include <stdlib.h>

#include "api/cli/cli.h"

int main(int argc, char **argv)
{
    struct cli cli = {.out = stdout, .err = stderr, .api = getenv("PLUVIO_API")};
    int status = cli_run(&cli, argc, argv);
    if (fflush(stdout) || ferror(stdout)) {
        perror("pluvio: standard output");
        return status ? status : CLI_FAILED;
    }
    return status;
}
