#include "cli_rig.h"

#include <stdarg.h>
#include <stdlib.h>

#define MAX_WORDS 32

void cli_rig_run(struct cli_rig *r, const char *api, ...)
{
    char *argv[MAX_WORDS] = {(char *)"pluvio"};
    int argc = 1;
    va_list args;
    va_start(args, api);
    while (argc < MAX_WORDS - 1 && (argv[argc] = va_arg(args, char *)))
        argc++;
    va_end(args);
    *r = (struct cli_rig){0};
    struct cli cli = {
        .out = open_memstream(&r->out, &r->out_len), .err = open_memstream(&r->err, &r->err_len), .api = api};
    r->status = cli_run(&cli, argc, argv);
    fclose(cli.out);
    fclose(cli.err);
}

void cli_rig_free(struct cli_rig *r)
{
    free(r->out);
    free(r->err);
}
