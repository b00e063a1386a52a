#include "command.h"

#include <stdarg.h>
#include <string.h>

#include "nouns.h"
#include "pluvio/base/timestamp.h"
#include "pluvio/config/suggest.h"

#define MAX_NAMES 64

const struct cli_option command_options[] = {
    {"api", "URL", "where the collector answers (or PLUVIO_API in the environment; default " CLI_DEFAULT_API ")", NULL},
    {"json", NULL, "print JSON", NULL},
    {"csv", NULL, "print CSV", NULL},
    {"help", NULL, "explain, with examples", NULL},
    {"version", NULL, "print the version", NULL},
    {NULL, NULL, NULL, NULL},
};

static const struct cli_option *find_in(const struct cli_option *options, struct text name)
{
    for (; options->name; options++)
        if (text_equal(text_of(options->name), name))
            return options;
    return NULL;
}

static const struct cli_option *find_option(const struct command *c, struct text name)
{
    const struct cli_option *o = find_in(command_options, name);
    return o || !c->verb ? o : find_in(c->verb->options, name);
}

static size_t names_of(const struct cli_option *options, const char **names, size_t count)
{
    for (; options->name && count < MAX_NAMES; options++)
        names[count++] = options->name;
    return count;
}

static bool unknown_option(const struct command *c, struct text name, struct buf *why)
{
    const char *names[MAX_NAMES];
    char wrong[64];
    size_t count = names_of(command_options, names, 0);
    if (c->verb)
        count = names_of(c->verb->options, names, count);
    text_copy(name, wrong, sizeof wrong);
    const char *nearest = suggest(wrong, names, count);
    buf_addf(why, "--%s: no such option", wrong);
    if (c->noun)
        buf_addf(why, " of \"pluvio %s %s\"", c->noun->name, c->verb->name);
    if (nearest)
        buf_addf(why, ": did you mean --%s?", nearest);
    return false;
}

static bool keep_value(struct command *c, const struct cli_option *o, const char *value, struct buf *why)
{
    if (o == &command_options[0])
        c->api = value;
    else if (o == &command_options[1])
        c->format = FORMAT_JSON;
    else if (o == &command_options[2])
        c->format = FORMAT_CSV;
    else if (o == &command_options[3])
        c->help = true;
    else if (o == &command_options[4])
        c->version = true;
    else if (c->value_count == COMMAND_MAX_VALUES) {
        buf_addf(why, "more than %d options", COMMAND_MAX_VALUES);
        return false;
    } else {
        c->values[c->value_count].option = o;
        c->values[c->value_count++].value = value;
    }
    return true;
}

/* argv[*at] is an option; *at moves over its value. */
static bool take_option(struct command *c, int argc, char **argv, int *at, struct buf *why)
{
    const char *word = argv[*at] + 2, *equals = strchr(word, '=');
    struct text name = {word, equals ? (size_t)(equals - word) : strlen(word)};
    const struct cli_option *o = find_option(c, name);
    if (!o)
        return unknown_option(c, name, why);
    if (!o->metavar && equals) {
        buf_addf(why, "--%s takes no value", o->name);
        return false;
    }
    if (!o->metavar)
        return keep_value(c, o, "", why);
    if (!equals && *at + 1 == argc) {
        buf_addf(why, "--%s needs a value: --%s %s", o->name, o->name, o->metavar);
        return false;
    }
    return keep_value(c, o, equals ? equals + 1 : argv[++*at], why);
}

static bool take_noun(struct command *c, const char *word, struct buf *why)
{
    const char *names[MAX_NAMES];
    size_t count = 0;
    for (const struct noun *n = nouns; n->name; n++) {
        if (count < MAX_NAMES)
            names[count++] = n->name;
        if (strcmp(n->name, word) == 0) {
            c->noun = n;
            c->verb = n->verbs;
            return true;
        }
    }
    const char *nearest = suggest(word, names, count);
    if (nearest)
        buf_addf(why, "%s: did you mean \"pluvio %s\"?", word, nearest);
    else
        buf_addf(why, "%s: there is no such noun: see \"pluvio --help\"", word);
    return false;
}

/* The word behind the noun may be a verb; if not it is the default verb's first word. */
static bool take_verb(struct command *c, const char *word)
{
    for (const struct verb *v = c->noun->verbs; v->name; v++) {
        if (strcmp(v->name, word) == 0) {
            c->verb = v;
            return true;
        }
    }
    return false;
}

static bool take_word(struct command *c, const char *word, bool *behind_noun, struct buf *why)
{
    if (!c->noun) {
        *behind_noun = true;
        return take_noun(c, word, why);
    }
    bool verb = *behind_noun && take_verb(c, word);
    *behind_noun = false;
    if (verb)
        return true;
    if (c->word_count == COMMAND_MAX_WORDS) {
        buf_addf(why, "more than %d words", COMMAND_MAX_WORDS);
        return false;
    }
    c->words[c->word_count++] = word;
    return true;
}

static bool wrong_words(const struct command *c, struct buf *why)
{
    const char *names[MAX_NAMES], *nearest = NULL;
    size_t count = 0;
    for (const struct verb *v = c->noun->verbs; v->name && count < MAX_NAMES; v++)
        names[count++] = v->name;
    if (c->verb == c->noun->verbs && c->word_count)
        nearest = suggest(c->words[0], names, count);
    buf_addf(why, "pluvio %s %s takes %s", c->noun->name, c->verb->name,
             *c->verb->words ? c->verb->words : "no words behind it");
    if (nearest)
        buf_addf(why, ": did you mean \"pluvio %s %s\"?", c->noun->name, nearest);
    else if (c->word_count > c->verb->most_words)
        buf_addf(why, ", not \"%s\"", c->words[c->verb->most_words]);
    return false;
}

bool command_parse(struct command *ret, const struct cli *cli, int argc, char **argv, struct buf *why)
{
    bool behind_noun = false, words_only = false;
    *ret = (struct command){.cli = cli, .api = cli->api && *cli->api ? cli->api : CLI_DEFAULT_API};
    for (int i = 1; i < argc; i++) {
        if (!words_only && strcmp(argv[i], "--") == 0)
            words_only = true;
        else if (!words_only && strcmp(argv[i], "-h") == 0)
            ret->help = true;
        else if (!words_only && strncmp(argv[i], "--", 2) == 0) {
            if (!take_option(ret, argc, argv, &i, why))
                return false;
        } else if (!words_only && argv[i][0] == '-' && argv[i][1]) {
            buf_addf(why, "%s: options have two dashes: see --help", argv[i]);
            return false;
        } else if (!take_word(ret, argv[i], &behind_noun, why))
            return false;
    }
    if (ret->help || ret->version)
        return true;
    if (!ret->noun) {
        buf_addf(why, "what about? See \"pluvio --help\"");
        return false;
    }
    bool fits = ret->word_count >= ret->verb->least_words && ret->word_count <= ret->verb->most_words;
    return fits || wrong_words(ret, why);
}

const char *command_value(const struct command *c, const char *name)
{
    const char *value = NULL;
    for (size_t i = 0; i < c->value_count; i++)
        if (strcmp(c->values[i].option->name, name) == 0)
            value = c->values[i].value;
    return value;
}

int command_fail(const struct command *c, int status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("pluvio: ", c->cli->err);
    vfprintf(c->cli->err, format, args);
    fputc('\n', c->cli->err);
    va_end(args);
    return status;
}

void command_escape(const char *value, struct buf *out)
{
    for (; *value; value++) {
        if (strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~,:*", *value))
            buf_add_char(out, *value);
        else
            buf_addf(out, "%%%02X", (unsigned char)*value);
    }
}

/* "--since 2h" is a time ago; everything else goes as it is. */
static bool is_ago(const struct cli_option *o, const char *value)
{
    int64_t ms;
    return strcmp(o->name, "since") == 0 && duration_parse(text_of(value), &ms) == 0;
}

void command_query(const struct command *c, struct buf *out)
{
    char mark = '?';
    for (size_t i = 0; i < c->value_count; i++) {
        const struct cli_option *o = c->values[i].option;
        if (!o->parameter)
            continue;
        buf_addf(out, "%c%s=%s", mark, o->parameter, is_ago(o, c->values[i].value) ? "-" : "");
        command_escape(c->values[i].value, out);
        mark = '&';
    }
}
