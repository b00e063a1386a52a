#include "settings.h"

#include <check.h>
#include <stddef.h>

#define AT(field) offsetof(struct settings, field)

static const char *const colors[] = {"red", "green", "blue", NULL};
static const char *const columns[] = {"match", "project", "user", NULL};
static const char *const plain_key[] = {"bootstrap.servers", NULL};

static const struct option options[] = {
    {.name = "name",
     .type = OPTION_TEXT,
     .offset = AT(name),
     .fallback = "pluvio",
     .help = "What it is called.",
     .metavar = "NAME",
     .reloadable = true,
     .command_line = true},
    {.name = "note", .type = OPTION_TEXT, .offset = AT(note), .help = "Anything."},
    {.name = "count",
     .type = OPTION_INTEGER,
     .offset = AT(count),
     .fallback = "5",
     .low = 1,
     .high = 10,
     .help = "How many.",
     .command_line = true},
    {.name = "any_count", .type = OPTION_INTEGER, .offset = AT(any_count), .help = "How many of anything."},
    {.name = "loud",
     .type = OPTION_BOOLEAN,
     .offset = AT(loud),
     .help = "Speak up.",
     .reloadable = true,
     .command_line = true},
    {.name = "poll.interval",
     .type = OPTION_DURATION,
     .offset = AT(interval_ms),
     .fallback = "10s",
     .low = 1000,
     .high = 3600000,
     .help = "How often.",
     .reloadable = true,
     .command_line = true},
    {.name = "poll.deep.size",
     .type = OPTION_SIZE,
     .offset = AT(size),
     .fallback = "1MiB",
     .low = 1024,
     .high = 1 << 30,
     .unit = "bytes",
     .help = "How large."},
    {.name = "color",
     .type = OPTION_CHOICE,
     .offset = AT(color),
     .fallback = "green",
     .choices = colors,
     .help = "Which color.",
     .command_line = true},
    {.name = "listen",
     .type = OPTION_ADDRESS,
     .offset = AT(listen),
     .fallback = "127.0.0.1:80",
     .help = "Where.",
     .metavar = "ADDR:PORT",
     .command_line = true},
    {.name = "hosts",
     .type = OPTION_LIST,
     .offset = AT(hosts),
     .fallback = "localhost",
     .help = "Whom.",
     .reloadable = true,
     .command_line = true},
    {.name = "labels",
     .type = OPTION_MAP,
     .offset = AT(labels),
     .help = "What else.",
     .reloadable = true,
     .command_line = true},
    {.name = "kafka",
     .type = OPTION_MAP,
     .offset = AT(kafka),
     .choices = plain_key,
     .help = "Brokers.",
     .command_line = true},
    {.name = "mappings",
     .type = OPTION_ROWS,
     .offset = AT(mappings),
     .choices = columns,
     .help = "Who is whose.",
     .reloadable = true},
};
const struct schema test_schema = {.program = "tester",
                                   .summary = "Tests.",
                                   .examples = "  tester --once\n",
                                   .options = options,
                                   .count = sizeof options / sizeof options[0]};

static const struct option switches[] = {
    {.name = "once", .type = OPTION_BOOLEAN, .offset = AT(once), .help = "Stop soon.", .command_line = true},
};
const struct schema test_switches = {.options = switches, .count = 1};

void rig_open(struct rig *rig)
{
    struct error error;
    *rig = (struct rig){0};
    folder_path(folder_make(rig->folder), "t.yaml", rig->path, sizeof rig->path);
    ck_assert_int_eq(schema_defaults(&test_schema, &rig->settings, &error), 0);
}

void rig_close(struct rig *rig)
{
    schema_free(&test_schema, &rig->settings);
    buf_free(&rig->mistakes);
    buf_free(&rig->notes);
    folder_remove(rig->folder);
}

void rig_write(const struct rig *rig, const char *content)
{
    FILE *f = fopen(rig->path, "w");
    ck_assert_ptr_nonnull(f);
    fputs(content, f);
    ck_assert_int_eq(fclose(f), 0);
}

void rig_expect(struct rig *rig, const char *sentence, const char *wants)
{
    struct buf all = {0};
    for (const char *at = wants; *at;) {
        const char *end = strchr(at, '\n');
        ck_assert_ptr_nonnull(end);
        buf_addf(&all, "%s:%.*s\n", rig->path, (int)(end - at), at);
        at = end + 1;
    }
    ck_assert_msg(text_equal(buf_text(&all), buf_text(&rig->mistakes)), "%s: %s", sentence,
                  buf_terminate(&rig->mistakes));
    buf_free(&all);
}
