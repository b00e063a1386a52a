/* A VM's memory in the poller's store: what is taken packs to a row that gives the same row again. The row ends with a
 * checksum over it, which is made here: else nothing would come past it. */
#include "fuzz.h"
#include "pollers/incarnation.h"

#define UUID "7a2b3c4d-0000-4000-8000-000000000001"

/* Unpack @bytes and pack what came of it into @out. False: refused. */
static bool there_and_back(struct text bytes, struct buf *out)
{
    struct incarnations set;
    incarnations_init(&set, random_system(), 0);
    struct incarnation *vm = incarnations_make(&set, UUID, false);
    must(vm);
    bool taken = incarnation_unpack(vm, bytes) == 0;
    must(vm->count <= INCARNATION_MAX_DEVICES && vm->owner.state < DOMAIN_STATES);
    for (size_t i = 0; i < vm->count; i++)
        must(vm->devices[i]->chain_count <= INCARNATION_CHAIN);
    if (taken)
        incarnation_pack(out, vm);
    incarnations_finish(&set);
    return taken;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf row = {0}, first = {0}, second = {0};
    there_and_back(fuzz_text(data, size), &first);
    buf_clear(&first);
    buf_add(&row, data, size);
    uint64_t sum = text_hash(buf_text(&row));
    buf_add(&row, &sum, sizeof sum);
    if (there_and_back(buf_text(&row), &first)) {
        must(there_and_back(buf_text(&first), &second));
        must(text_equal(buf_text(&first), buf_text(&second)));
    }
    buf_free(&row);
    buf_free(&first);
    buf_free(&second);
    return 0;
}
