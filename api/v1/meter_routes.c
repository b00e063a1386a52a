/* The meters that there are by name; other producers' meters stand with their resources. */
#include "v1.h"

#include <stdio.h>

#include "api/http/json_write.h"

/* What a quantity of the ledger is counted in. */
static const char *quantity_unit(const struct meter *m, char *out, size_t size)
{
    switch (m->basis) {
    case BASIS_CONSUMED:
        return m->unit;
    case BASIS_ALLOCATED:
        snprintf(out, size, "%s*ms", m->unit);
        return out;
    case BASIS_OBSERVED:
        break;
    }
    return NULL;
}

void get_meters(void *worker, const struct request *request, struct reply *reply)
{
    struct json j = {.out = &reply->body};
    char unit[32];
    (void)worker, (void)request;
    json_begin_object(&j, NULL);
    json_begin_array(&j, "meters");
    for (int i = 0; i < METERS; i++) {
        const struct meter *m = meter_at((enum meter_id)i);
        json_begin_object(&j, NULL);
        json_string(&j, "meter", m->name);
        json_string(&j, "type", meter_type_name(m->type));
        json_string(&j, "unit", m->unit);
        json_string(&j, "kind", resource_kind_name(m->kind));
        json_string(&j, "basis", meter_basis_name(m->basis));
        json_string(&j, "quantity_unit", quantity_unit(m, unit, sizeof unit));
        json_end_object(&j);
    }
    json_end_array(&j);
    json_end_object(&j);
    buf_add_char(&reply->body, '\n');
}
