#include "decode.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "nouns.h"
#include "pluvio/wire/wire_print.h"

#define MAX_FILE 67108864 /* bytes: a record has at most some MiB */
#define CHUNK    65536

void decode_value(struct decode *d, struct text value, const char *where)
{
    enum otlp_refusal refusal = otlp_decode(&d->decoder, value);
    d->count++;
    if (refusal) {
        d->refused++;
        command_fail(d->command, 0, "%s: not a record: %s", where, otlp_refusal_name(refusal));
        return;
    }
    buf_clear(&d->line);
    for (size_t i = 0; i < d->decoder.count; i++)
        wire_print_record(&d->line, &d->decoder.records[i]);
    if (d->line.failed)
        command_fail(d->command, 0, "%s: out of memory", where);
    else
        fwrite(d->line.data, 1, d->line.len, d->command->cli->out);
    d->refused += d->line.failed;
}

static int read_all(FILE *in, struct buf *out)
{
    for (;;) {
        char *room = buf_reserve(out, CHUNK);
        if (!room)
            return -ENOMEM;
        size_t got = fread(room, 1, CHUNK, in);
        out->len += got;
        if (got == 0)
            return ferror(in) ? -errno : 0;
        if (out->len > MAX_FILE)
            return -EFBIG;
    }
}

static int decode_file(struct decode *d, const char *path)
{
    bool standard = strcmp(path, "-") == 0;
    struct buf bytes = {0};
    FILE *in = standard ? stdin : fopen(path, "rb");
    if (!in)
        return command_fail(d->command, CLI_FAILED, "%s: %s", path, strerror(errno));
    int r = read_all(in, &bytes);
    if (!standard)
        fclose(in);
    if (r == 0)
        decode_value(d, buf_text(&bytes), path);
    buf_free(&bytes);
    return r ? command_fail(d->command, CLI_FAILED, "%s: %s", path, strerror(-r)) : CLI_DONE;
}

static int decode_files(struct decode *d)
{
    int status = CLI_DONE;
    const struct command *c = d->command;
    if (c->word_count == 0)
        return command_fail(c, CLI_MISUSED, "decode what? A FILE, \"-\" for standard input, or --kafka WHERE");
    if (command_value(c, "topic") || command_value(c, "follow") || command_value(c, "count") ||
        command_value(c, "property"))
        return command_fail(c, CLI_MISUSED, "--topic, --follow, --count and --property go with --kafka");
    for (size_t i = 0; i < c->word_count; i++)
        if (decode_file(d, c->words[i]))
            status = CLI_FAILED;
    return status;
}

int decode_run(struct command *c)
{
    struct decode d = {.command = c};
    bool kafka = command_value(c, "kafka") != NULL;
    if (kafka && c->word_count)
        return command_fail(c, CLI_MISUSED, "either files or --kafka");
    int status = kafka ? decode_kafka(&d) : decode_files(&d);
    otlp_decoder_free(&d.decoder);
    buf_free(&d.line);
    return status == CLI_DONE && d.refused ? CLI_FAILED : status;
}
