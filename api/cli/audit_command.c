/* pluvio audit: by the API, or out of the ledger file itself. Both give the same object, which is then printed. */
#include <stdlib.h>

#include "client.h"
#include "list.h"
#include "nouns.h"
#include "pluvio/ledger/ledger_query.h"

static json_t *wide_json(wide value)
{
    char digits[WIDE_SIZE];
    return json_string(wide_format(value, digits));
}

static json_t *mismatches_json(const struct audit_result *a)
{
    json_t *list = json_array();
    for (size_t i = 0; i < a->kept; i++) {
        const struct audit_mismatch *m = &a->mismatches[i];
        json_array_append_new(list, json_pack("{s:s, s:s%, s:s%, s:o, s:o, s:o}", "what", m->what, "resource",
                                              m->resource.data, m->resource.len, "meter", m->meter.data, m->meter.len,
                                              "stream", wide_json((wide)m->stream), "booked", wide_json(m->booked),
                                              "expected", wide_json(m->expected)));
    }
    return list;
}

static json_t *result_json(const struct audit_result *a)
{
    return json_pack("{s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:o}", "consistent", a->mismatch_count == 0, "commit",
                     (json_int_t)a->commit, "entities", (json_int_t)a->entities, "streams", (json_int_t)a->streams,
                     "rows", (json_int_t)a->rows, "days", (json_int_t)a->days, "mismatch_count",
                     (json_int_t)a->mismatch_count, "mismatches", mismatches_json(a), "units",
                     json_loadb(a->units.data ? a->units.data : "{}", a->units.data ? a->units.len : 2, 0, NULL));
}

static json_t *audit_file(struct command *c, const char *path, int *ret_status)
{
    struct ledger_reader *reader = NULL;
    struct audit_result result = {0};
    struct error e = {0};
    json_t *answer = NULL;
    if (ledger_reader_open(&reader, path, &e) || ledger_audit(reader, &result, &e)) {
        *ret_status = command_fail(c, CLI_FAILED, "%s", e.text);
    } else {
        answer = result_json(&result);
        *ret_status = answer ? CLI_DONE : command_fail(c, CLI_FAILED, "out of memory");
        audit_result_free(&result);
    }
    ledger_reader_close(reader);
    return answer;
}

static long long number_at(const json_t *answer, const char *key)
{
    return (long long)json_integer_value(json_object_get(answer, key));
}

static void print_units(struct command *c, const json_t *answer)
{
    const char *meter;
    json_t *quantity;
    json_object_foreach(json_object_get(answer, "units"), meter, quantity)
        fprintf(c->cli->out, "  %-32s %s\n", meter, json_string_value(quantity));
}

static int print_verdict(struct command *c, const json_t *answer)
{
    static const struct list_column columns[] = {{.key = "what"},
                                                 {.key = "resource"},
                                                 {.key = "meter"},
                                                 {.key = "stream", .right = true},
                                                 {.key = "booked", .right = true},
                                                 {.key = "expected", .right = true}};
    static const struct list l = {"", "mismatches", columns, 6, ""};
    long long wrong = number_at(answer, "mismatch_count");
    if (c->format == FORMAT_JSON)
        return list_print_json(c, answer);
    if (c->format == FORMAT_CSV)
        return list_print(c, &l, answer);
    fprintf(c->cli->out, "%s at commit %lld: %lld entities, %lld streams, %lld rows and %lld days were compared\n",
            wrong ? "NOT CONSISTENT" : "consistent", number_at(answer, "commit"), number_at(answer, "entities"),
            number_at(answer, "streams"), number_at(answer, "rows"), number_at(answer, "days"));
    print_units(c, answer);
    if (!wrong)
        return CLI_DONE;
    fprintf(c->cli->out, "\n%lld mismatches, the first %zu:\n", wrong,
            json_array_size(json_object_get(answer, "mismatches")));
    return list_print(c, &l, answer);
}

int audit_run(struct command *c)
{
    const char *path = command_value(c, "ledger");
    int status;
    json_t *answer = path ? audit_file(c, path, &status) : client_get(c, "/v1/audit", &status);
    if (answer)
        status = print_verdict(c, answer);
    if (status == CLI_DONE && !json_is_true(json_object_get(answer, "consistent")))
        status = CLI_FAILED;
    json_decref(answer);
    return status;
}
