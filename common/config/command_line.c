#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "pluvio/base/error.h"
#include "pluvio/config/schema.h"
#include "pluvio/config/suggest.h"
#include "schema_value.h"

#define MAX_NAMES 256

struct line {
    const struct schema *schema, *switches;
    void *settings;
    int argc;
    char **argv;
    const char *config;
    bool check, failed;
    struct buf mistakes;
};

static void mistake(struct line *l, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void mistake(struct line *l, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    buf_vaddf(&l->mistakes, format, args);
    buf_add_char(&l->mistakes, '\n');
    va_end(args);
    l->failed = true;
}

static const struct option *find_in(const struct schema *s, const char *name, size_t len)
{
    for (size_t i = 0; s && i < s->count; i++)
        if (s->options[i].command_line && strlen(s->options[i].name) == len &&
            memcmp(s->options[i].name, name, len) == 0)
            return &s->options[i];
    return NULL;
}

static void unknown(struct line *l, const char *argument)
{
    const char *names[MAX_NAMES];
    size_t count = 0;
    const struct schema *both[] = {l->schema, l->switches};
    for (int k = 0; k < 2; k++)
        for (size_t i = 0; both[k] && i < both[k]->count && count < MAX_NAMES; i++)
            if (both[k]->options[i].command_line)
                names[count++] = both[k]->options[i].name;
    char name[128];
    bool dashes = strncmp(argument, "--", 2) == 0;
    snprintf(name, sizeof name, "%.*s", dashes ? (int)strcspn(argument + 2, "=") : 0, argument + (dashes ? 2 : 0));
    const char *near = suggest(name, names, count);
    if (near)
        mistake(l, "%s: no such option; did you mean --%s?", argument, near);
    else
        mistake(l, "%s: no such option; --help lists them", argument);
}

/* The value behind '=' or in the next argument. */
static const char *value_of(struct line *l, int *i, size_t name_len)
{
    const char *argument = l->argv[*i];
    if (argument[2 + name_len] == '=')
        return argument + 3 + name_len;
    return *i + 1 < l->argc ? l->argv[++*i] : NULL;
}

static bool stands_before(const struct line *l, const struct option *o, int i)
{
    size_t len = strlen(o->name);
    for (int k = 1; k < i; k++)
        if (strncmp(l->argv[k], "--", 2) == 0 && strncmp(l->argv[k] + 2, o->name, len) == 0 &&
            (l->argv[k][2 + len] == '=' || l->argv[k][2 + len] == 0))
            return true;
    return false;
}

static void take(struct line *l, const struct option *o, int *i)
{
    struct buf why = {0};
    const char *argument = l->argv[*i];
    /* A list on the command line stands in for the file's; each further --NAME adds to it. */
    if (o->type == OPTION_LIST && !stands_before(l, o, *i))
        option_clear(o, l->settings);
    bool is_switch = o->type == OPTION_BOOLEAN && argument[2 + strlen(o->name)] != '=';
    const char *value = is_switch ? "true" : value_of(l, i, strlen(o->name));
    if (!value)
        mistake(l, "--%s: needs a value", o->name);
    else if (!option_take(o, l->settings, value, &why))
        mistake(l, "--%s: %s", o->name, buf_terminate(&why));
    buf_free(&why);
}

/* @first: only what must be known before the file is read; else the options, which win over it. */
static void walk(struct line *l, bool first)
{
    for (int i = 1; i < l->argc; i++) {
        const char *argument = l->argv[i];
        bool dashes = strncmp(argument, "--", 2) == 0;
        size_t len = dashes ? strcspn(argument + 2, "=") : 0;
        const struct option *o = dashes ? find_in(l->schema, argument + 2, len) : NULL;
        if (dashes && !o)
            o = find_in(l->switches, argument + 2, len);
        if (len == 6 && memcmp(argument + 2, "config", 6) == 0) {
            l->config = value_of(l, &i, len);
            if (!l->config && first)
                mistake(l, "--config: needs a file");
        } else if (strcmp(argument, "--check-config") == 0) {
            l->check = true;
        } else if (o && first) {
            if (!(o->type == OPTION_BOOLEAN && argument[2 + len] != '='))
                value_of(l, &i, len);
        } else if (o) {
            take(l, o, &i);
        } else if (first) {
            unknown(l, argument);
        }
    }
}

/* --help and the like, which want nothing else. */
static bool answer(struct line *l)
{
    for (int i = 1; i < l->argc; i++) {
        if (strcmp(l->argv[i], "--help") == 0 || strcmp(l->argv[i], "-h") == 0)
            schema_print_help(l->schema, l->switches, stdout);
        else if (strcmp(l->argv[i], "--version") == 0)
            printf("%s %s\n", l->schema->program, PLUVIO_VERSION);
        else if (strcmp(l->argv[i], "--print-reference") == 0)
            schema_print_reference(l->schema, stdout);
        else
            continue;
        return true;
    }
    return false;
}

bool command_line_win(const struct schema *s, const struct schema *switches, int argc, char **argv, void *settings,
                      struct buf *mistakes)
{
    struct line l = {.schema = s, .switches = switches, .settings = settings, .argc = argc, .argv = argv};
    walk(&l, false);
    buf_add_text(mistakes, buf_text(&l.mistakes));
    buf_free(&l.mistakes);
    return !l.failed;
}

enum command_line_action schema_command_line(const struct schema *s, const struct schema *switches, int argc,
                                             char **argv, const char *default_path, void *settings,
                                             const char **ret_config_path, int *ret_status)
{
    struct line l = {.schema = s, .switches = switches, .settings = settings, .argc = argc, .argv = argv};
    struct error error;
    *ret_status = 0;
    *ret_config_path = NULL;
    if (answer(&l))
        return COMMAND_LINE_EXIT;
    if (schema_defaults(s, settings, &error))
        mistake(&l, "%s", error.text);
    walk(&l, true);
    if (!l.config && default_path && access(default_path, F_OK) == 0)
        l.config = default_path;
    if (l.config && schema_read_file(s, l.config, settings, &l.mistakes))
        l.failed = true;
    walk(&l, false);
    if (s->check)
        s->check(settings, &l.mistakes);
    l.failed |= l.mistakes.len > 0;
    if (l.failed) {
        fprintf(stderr, "%s", buf_terminate(&l.mistakes));
        *ret_status = 2;
    } else if (l.check) {
        printf("%s: fine\n", l.config ? l.config : "the configuration");
    }
    buf_free(&l.mistakes);
    *ret_config_path = l.config;
    return l.failed ? COMMAND_LINE_EXIT : l.check ? COMMAND_LINE_CHECK : COMMAND_LINE_RUN;
}
