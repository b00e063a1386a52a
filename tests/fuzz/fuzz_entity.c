/* An entity's packed row: what is taken packs to a row that gives the same row again. */
#include "collector/series/entity_pack.h"
#include "fuzz.h"

/* The table's meters by their number plus one, and one of another producer behind them. */
static const struct ledger_meter *find(void *context, int64_t id)
{
    static struct ledger_meter meters[METERS + 1];
    (void)context;
    for (int i = 0; !meters[METERS].id && i <= METERS; i++) {
        const struct meter *known = i < METERS ? meter_at((enum meter_id)i) : NULL;
        meters[i] = (struct ledger_meter){.id = i + 1, .known = known, .basis = known ? known->basis : BASIS_OBSERVED};
    }
    return id > 0 && id <= METERS + 1 ? &meters[id - 1] : NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf first = {0}, second = {0};
    struct entity *e = entity_unpack(TEXT("vm"), fuzz_text(data, size), find, NULL);
    if (!e)
        return 0;
    must(e->count <= ENTITY_MAX_RESOURCES);
    entity_pack(e, &first);
    struct entity *again = entity_unpack(TEXT("vm"), buf_text(&first), find, NULL);
    must(again);
    entity_pack(again, &second);
    must(text_equal(buf_text(&first), buf_text(&second)));
    entity_free(e);
    entity_free(again);
    buf_free(&first);
    buf_free(&second);
    return 0;
}
