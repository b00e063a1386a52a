/* A command as it was given: its options and words, ready to run. */
#ifndef API_CLI_COMMAND_H
#define API_CLI_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

#include "cli.h"
#include "pluvio/base/buf.h"

#define COMMAND_MAX_WORDS  64
#define COMMAND_MAX_VALUES 32

struct cli_option {
    const char *name;    /* without the dashes */
    const char *metavar; /* NULL: a switch */
    const char *help;
    const char *parameter; /* the API parameter that it sets; NULL: none */
};

struct command;

struct verb {
    const char *name;
    const char *words; /* what follows, for --help: "RESOURCE METER" */
    size_t least_words, most_words;
    const struct cli_option *options; /* ends with a NULL name */
    int (*run)(struct command *c);    /* an enum cli_status */
};

struct noun {
    const char *name, *summary;
    const struct verb *verbs; /* the first is the default; ends with a NULL name */
    const char *examples;     /* command lines with what they do */
};

enum command_format { FORMAT_TABLE, FORMAT_JSON, FORMAT_CSV };

struct command {
    const struct cli *cli;
    const struct noun *noun;
    const struct verb *verb;
    const char *api;
    enum command_format format;
    bool help, version;
    struct {
        const struct cli_option *option;
        const char *value;
    } values[COMMAND_MAX_VALUES];
    size_t value_count;
    const char *words[COMMAND_MAX_WORDS];
    size_t word_count;
};

/* Every command has these. */
extern const struct cli_option command_options[];

/* Fill @ret from argv. False: a sentence in @why says what is wrong with it. */
bool command_parse(struct command *ret, const struct cli *cli, int argc, char **argv, struct buf *why);

/* The value of --name, or NULL; "" of a switch. */
const char *command_value(const struct command *c, const char *name);
/* Print "pluvio: ..." to c->cli->err and return @status. */
int command_fail(const struct command *c, int status, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* Append "?from=..&to=.." of the options that are API parameters. */
void command_query(const struct command *c, struct buf *out);
/* Append @value with percent escapes, as one segment of a path or one value of a query. */
void command_escape(const char *value, struct buf *out);

#endif
