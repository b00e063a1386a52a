/* --help and the reference, by walking the rows. */
#include "pluvio/config/schema.h"
#include "schema_value.h"

static void print_option(const struct option *o, FILE *out)
{
    char head[128];
    if (o->type == OPTION_BOOLEAN)
        snprintf(head, sizeof head, "--%s", o->name);
    else
        snprintf(head, sizeof head, "--%s %s", o->name, o->metavar ? o->metavar : "VALUE");
    fprintf(out, "  %-28s%s%s", head, strlen(head) > 27 ? "\n                              " : "", o->help);
    if (o->fallback)
        fprintf(out, " [%s]", o->fallback);
    fputc('\n', out);
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
    } else if (o->low || o->high) {
        fprintf(out, "%lld to %lld%s", (long long)o->low, (long long)o->high,
                o->type == OPTION_DURATION ? " ms" : o->type == OPTION_SIZE ? " bytes" : "");
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
