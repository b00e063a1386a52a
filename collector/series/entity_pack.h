/* An entity as bytes: the packed row of the ledger, and back. Pure.
 *
 * Numbers are varints; times stand against the entity's newest reading, so that they are short. The first byte is the
 * format's version.
 */
#ifndef COLLECTOR_SERIES_ENTITY_PACK_H
#define COLLECTOR_SERIES_ENTITY_PACK_H

#include "entity.h"

/* Append @e. */
void entity_pack(const struct entity *e, struct buf *out);

/* Meters by their ledger id; NULL: no such meter. */
typedef const struct ledger_meter *(*meter_lookup)(void *context, int64_t id);

/* NULL: damaged, or out of memory. */
struct entity *entity_unpack(struct text key, struct text packed, meter_lookup meters, void *context);

#endif
