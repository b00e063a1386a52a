#include "cli.h"

#include <string.h>

#include "command.h"
#include "nouns.h"

static void print_options(const struct cli_option *options, FILE *out)
{
    for (; options->name; options++) {
        char left[64];
        snprintf(left, sizeof left, "--%s %s", options->name, options->metavar ? options->metavar : "");
        fprintf(out, "  %-22s %s\n", left, options->help);
    }
}

static void print_help(FILE *out)
{
    fputs("pluvio asks a Pluvio collector what was used, and by whom.\n\n"
          "usage: pluvio [--api URL] NOUN [VERB] [options]\n\n",
          out);
    for (const struct noun *n = nouns; n->name; n++)
        fprintf(out, "  %-22s %s\n", n->name, n->summary);
    fputs("\n\"pluvio NOUN --help\" teaches one of them. Everywhere:\n\n", out);
    print_options(command_options, out);
    fputs("\nexamples:\n  pluvio usage --since 24h\n  pluvio resource --kind instance\n  pluvio audit\n\n"
          "Exit status: 0 done; 1 no answer, a refusal, or an audit with mismatches; 2 a wrong command line.\n",
          out);
}

static void print_noun_help(const struct noun *n, FILE *out)
{
    fprintf(out, "pluvio %s: %s\n\n", n->name, n->summary);
    for (const struct verb *v = n->verbs; v->name; v++)
        fprintf(out, "%s pluvio %s %s%s%s %s\n", v == n->verbs ? "usage:" : "      ", n->name, v == n->verbs ? "[" : "",
                v->name, v == n->verbs ? "]" : "", v->words);
    fputc('\n', out);
    for (const struct verb *v = n->verbs; v->name; v++)
        print_options(v->options, out);
    print_options(command_options, out);
    fprintf(out, "\nexamples:\n%s", n->examples);
}

static int run_help(const struct cli *cli, int argc, char **argv)
{
    for (const struct noun *n = nouns; n->name && argc > 2; n++) {
        if (strcmp(n->name, argv[2]) == 0) {
            print_noun_help(n, cli->out);
            return CLI_DONE;
        }
    }
    print_help(cli->out);
    return CLI_DONE;
}

int cli_run(const struct cli *cli, int argc, char **argv)
{
    struct command c;
    struct buf why = {0};
    if (argc > 1 && strcmp(argv[1], "help") == 0)
        return run_help(cli, argc, argv);
    if (!command_parse(&c, cli, argc, argv, &why)) {
        command_fail(&c, 0, "%s", buf_terminate(&why));
        buf_free(&why);
        return CLI_MISUSED;
    }
    buf_free(&why);
    if (c.version)
        fputs("pluvio " PLUVIO_VERSION "\n", cli->out);
    else if (c.help && c.noun)
        print_noun_help(c.noun, cli->out);
    else if (c.help)
        print_help(cli->out);
    else
        return c.verb->run(&c);
    return CLI_DONE;
}
