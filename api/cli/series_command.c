/* pluvio series: one meter over time. */
#include "client.h"
#include "list.h"
#include "nouns.h"

int series_show(struct command *c)
{
    struct buf path = {0}, head = {0};
    int status;
    buf_add_string(&path, "/v1/series/");
    command_escape(c->words[0], &path);
    buf_add_char(&path, '/');
    command_escape(c->words[1], &path);
    command_query(c, &path);
    json_t *answer = client_get(c, buf_terminate(&path), &status);
    if (answer) {
        const char *unit = json_string_value(json_object_get(answer, "unit"));
        buf_addf(&head, unit && *unit ? "%s (%s)" : "%s", c->words[1], unit);
        struct list_column columns[] = {{.key = "time"}, {.key = "value", .head = buf_terminate(&head), .right = true}};
        struct list l = {"", "points", columns, 2, "nothing was observed in that time"};
        status = c->format == FORMAT_JSON ? list_print_json(c, answer) : list_print(c, &l, answer);
    }
    json_decref(answer);
    buf_free(&path);
    buf_free(&head);
    return status;
}
