/* Configuration: option tables, and everything that is made by walking them.
 *
 * A program describes its options once, as rows. The YAML file, the command line, --help and the reference in docs/ all
 * come from the rows. All mistakes of a file are told in one run, each with file, line, key and the nearest valid name.
 */
#ifndef PLUVIO_CONFIG_SCHEMA_H
#define PLUVIO_CONFIG_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "pluvio/base/buf.h"
#include "pluvio/base/error.h"

enum option_type {
    OPTION_TEXT,     /* char * */
    OPTION_INTEGER,  /* int64_t */
    OPTION_BOOLEAN,  /* bool */
    OPTION_DURATION, /* int64_t, milliseconds; written 10s, 5min, 1h */
    OPTION_SIZE,     /* int64_t, bytes; written 64KiB, 2MiB, 1GiB */
    OPTION_CHOICE,   /* int, index into choices */
    OPTION_ADDRESS,  /* char *, ADDR:PORT checked */
    OPTION_LIST,     /* struct option_list: texts */
    OPTION_MAP,      /* struct option_map: free keys to texts, in file order (kafka:, labels:) */
    OPTION_ROWS      /* struct option_rows: a list of maps, each checked against `columns` (project mappings) */
};

struct option_list {
    char **items;
    size_t count;
};
struct option_pair {
    char *key, *value;
    int line;
};
struct option_map {
    struct option_pair *pairs;
    size_t count;
};
struct option_rows {
    struct option_map *rows; /* every pair's key is one of the columns */
    size_t count;
};

struct option {
    const char *name; /* "interval", or "archive.step": a dot is a level in the file, and stays in --archive.step */
    enum option_type type;
    size_t offset;        /* of the value in the program's settings struct */
    const char *fallback; /* default as it would be written; NULL: none (NULL, empty) */
    int64_t low, high;    /* of numbers, durations (ms) and sizes; both 0: any that is not negative */
    /* NULL-terminated; of OPTION_ROWS: its columns; of OPTION_MAP (may be NULL): the key that a plain text stands for
     */
    const char *const *choices;
    const char *unit;    /* for the reference; NULL: none */
    const char *metavar; /* for --help: "DIR" */
    const char *help;    /* one or two sentences */
    bool reloadable;     /* SIGHUP applies it */
    bool command_line;   /* also --name */
};

struct schema {
    const char *program;
    const char *summary;  /* for --help: what it does, in one sentence */
    const char *examples; /* for --help: command lines with what they do */
    const struct option *options;
    size_t count;
    /* Mistakes that no single option shows: append a line each. May be NULL. */
    void (*check)(const void *settings, struct buf *mistakes);
};

/* Fill @settings (the program's struct) with the defaults; it must be zeroed. */
int schema_defaults(const struct schema *s, void *settings, struct error *error) __attribute__((warn_unused_result));
/* Read @path over what @settings holds. Mistakes are appended to @mistakes, one line each ("FILE:LINE: key: ..."), and
 * the result is -EINVAL if there is any. Duplicate keys, aliases, tabs and unknown keys are mistakes. */
int schema_read_file(const struct schema *s, const char *path, void *settings, struct buf *mistakes)
    __attribute__((warn_unused_result));

enum command_line_action { COMMAND_LINE_RUN, COMMAND_LINE_CHECK, COMMAND_LINE_EXIT };
/* The whole start of a daemon: defaults, --config FILE (or @default_path if that exists), then the other options, which
 * win. Answers --help, --version itself (COMMAND_LINE_EXIT with *ret_status); --check-config reads everything and
 * tells. Switches that are not options of the file (such as --once) stand in @switches as OPTION_BOOLEAN rows over
 * @settings; may be NULL. Mistakes go to stderr. */
enum command_line_action schema_command_line(const struct schema *s, const struct schema *switches, int argc,
                                             char **argv, const char *default_path, void *settings,
                                             const char **ret_config_path, int *ret_status);
void schema_free(const struct schema *s, void *settings);

/* For SIGHUP: read @path anew into a fresh struct, move what is reloadable into @settings, and append to @notes a line
 * for each changed option that needs a restart. -EINVAL with @mistakes: nothing was changed. */
int schema_reload(const struct schema *s, const char *path, size_t settings_size, void *settings, struct buf *mistakes,
                  struct buf *notes) __attribute__((warn_unused_result));
/* The same for a program that was started with a command line: what stands there still wins over the file. */
int schema_reload_line(const struct schema *s, const struct schema *switches, int argc, char **argv, const char *path,
                       size_t settings_size, void *settings, struct buf *mistakes, struct buf *notes)
    __attribute__((warn_unused_result));

void schema_print_help(const struct schema *s, const struct schema *switches, FILE *out);
/* The table as Markdown, for docs/configuration.md. */
void schema_print_reference(const struct schema *s, FILE *out);

#endif
