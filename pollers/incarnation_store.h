/* The incarnations' memory on the disk: rows in the outbox's file, written in the transaction that stores the records
 * they produced (rule R1), so that a host never forgets what the ledger was told.
 */
#ifndef POLLERS_INCARNATION_STORE_H
#define POLLERS_INCARNATION_STORE_H

#include "incarnation.h"
#include "pluvio/store/db.h"

/* Make the tables if they are missing and read all into @set, which is empty. A VM whose row cannot be read is kept
 * with `amnesia`: its next process may not count from 0. *ret_damaged: how many those are. A VM beyond the limit is
 * refused and counted, as anywhere. */
int incarnation_store_load(struct db *db, struct incarnations *set, unsigned *ret_damaged, struct error *error)
    __attribute__((warn_unused_result));

/* Write what is dirty, within the caller's transaction; after its commit call incarnations_saved(). */
void incarnation_store_write(struct db *db, const struct incarnations *set);

#endif
