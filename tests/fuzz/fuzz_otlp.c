/* OTLP: what is taken says the same when it is written again, and prints as JSON. */
#include <jansson.h>

#include "fuzz.h"
#include "pluvio/wire/otlp.h"
#include "pluvio/wire/wire_print.h"
#include "support/record_json/record_json.h"

static void check_again(const struct record *r)
{
    struct buf bytes = {0};
    struct otlp_decoder d = {0};
    otlp_encode(&bytes, r);
    must(otlp_decode(&d, buf_text(&bytes)) == OTLP_FINE);
    must(d.count == 1);
    must(record_same(&d.records[0], r));
    must(d.skipped_fields + d.skipped_metrics + d.skipped_points == 0);
    otlp_decoder_free(&d);
    buf_free(&bytes);
}

/* jansson's integers are signed. */
static bool readable(const struct record *r)
{
    for (size_t i = 0; i < r->point_count; i++)
        if (r->points[i].stream > INT64_MAX)
            return false;
    return true;
}

static void check_print(const struct record *r)
{
    struct buf line = {0};
    wire_print_record(&line, r);
    must(!line.failed && line.data[line.len - 1] == '\n');
    if (readable(r)) {
        json_t *json = json_loadb(line.data, line.len, 0, NULL);
        must(json);
        json_decref(json);
    }
    buf_free(&line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct otlp_decoder d; /* one for all, as in the programs */
    enum otlp_refusal r = otlp_decode(&d, fuzz_text(data, size));
    must(r >= OTLP_FINE && r < OTLP_REFUSALS);
    must(r == OTLP_FINE || d.count == 0);
    for (size_t i = 0; i < d.count; i++) {
        must(d.records[i].entity.len);
        /* host.id and the event's time may come on top. */
        if (d.records[i].attribute_count + 2 <= OTLP_MAX_ATTRIBUTES)
            check_again(&d.records[i]);
        check_print(&d.records[i]);
    }
    return 0;
}
