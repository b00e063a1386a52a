/* --help and the reference, by walking the rows. */
#include "pluvio/base/timestamp.h"
#include "pluvio/config/schema.h"
#include "schema_value.h"

#define INDENT 30
#define WIDTH  100

/* @text in lines of WIDTH, the first one going on at @column, the others at INDENT. */
static void print_wrapped(const char *text, int column, FILE *out)
{
    while (*text) {
        int word = (int)strcspn(text, " ");
        if (column > INDENT && column + 1 + word > WIDTH) {
            fprintf(out, "\n%*s", INDENT, "");
            column = INDENT;
        } else if (column > INDENT) {
            fputc(' ', out);
            column++;
        }
        fwrite(text, 1, (size_t)word, out);
        column += word;
        text += word;
        text += strspn(text, " ");
    }
    fputc('\n', out);
}

static void print_option(const struct option *o, FILE *out)
{
    char head[128], words[1024];
    if (o->type == OPTION_BOOLEAN)
        snprintf(head, sizeof head, "--%s", o->name);
    else
        snprintf(head, sizeof head, "--%s %s", o->name, o->metavar ? o->metavar : "VALUE");
    snprintf(words, sizeof words, "%s%s%s%s", o->help, o->fallback ? " [" : "", o->fallback ? o->fallback : "",
             o->fallback ? "]" : "");
    fprintf(out, "  %-*s", INDENT - 2, head);
    if (strlen(head) > INDENT - 3)
        fprintf(out, "\n%*s", INDENT, "");
    print_wrapped(words, INDENT, out);
}

void schema_print_help(const struct schema *s, const struct schema *switches, FILE *out)
{
    fprintf(out, "Usage: %s [OPTION]...\n%s\n\nOptions:\n", s->program, s->summary);
    for (size_t i = 0; i < s->count; i++)
        if (s->options[i].command_line)
            print_option(&s->options[i], out);
    for (size_t i = 0; switches && i < switches->count; i++)
        print_option(&switches->options[i], out);
    fputs("  --config FILE               read options from this YAML file\n"
          "  --check-config              read the configuration, tell all mistakes, and exit\n"
          "  --print-reference           print every option of the file as Markdown, and exit\n"
          "  --help, --version           print this, or the version, and exit\n",
          out);
    fprintf(out, "\nExamples:\n%s", s->examples);
}

static void print_range(const struct option *o, FILE *out)
{
    if (o->type == OPTION_CHOICE || o->type == OPTION_ROWS) {
        for (size_t i = 0; o->choices[i]; i++)
            fprintf(out, "%s`%s`", i ? ", " : "", o->choices[i]);
    } else if ((o->low || o->high) && o->type == OPTION_DURATION) {
        char low[TIMESTAMP_SIZE], high[TIMESTAMP_SIZE];
        fprintf(out, "%s to %s", duration_format(o->low, low), duration_format(o->high, high));
    } else if (o->low || o->high) {
        fprintf(out, "%lld to %lld%s", (long long)o->low, (long long)o->high, o->type == OPTION_SIZE ? " bytes" : "");
    }
}

void schema_print_reference(const struct schema *s, FILE *out)
{
    fprintf(out, "## %s\n\n%s\n\n| option | type | range | default | reload | meaning |\n|---|---|---|---|---|---|\n",
            s->program, s->summary);
    for (size_t i = 0; i < s->count; i++) {
        const struct option *o = &s->options[i];
        fprintf(out, "| `%s` | %s%s%s | ", o->name, option_type_name(o->type), o->unit ? ", " : "",
                o->unit ? o->unit : "");
        print_range(o, out);
        fprintf(out, " | %s%s%s | %s | %s |\n", o->fallback ? "`" : "", o->fallback ? o->fallback : "",
                o->fallback ? "`" : "", o->reloadable ? "yes" : "", o->help);
    }
    fputc('\n', out);
}
