/* The ledger file's schema: schema/NNN.sql in order. */
#ifndef COLLECTOR_LEDGER_LEDGER_SCHEMA_H
#define COLLECTOR_LEDGER_LEDGER_SCHEMA_H

#include "pluvio/store/db.h"

#define LEDGER_APPLICATION_ID 0x504c5631 /* "PLV1" */

extern const struct db_schema ledger_schema;

#endif
