-- How new what came from an outbox is; whose it is stands in its own table.
ALTER TABLE mark DROP COLUMN host;
ALTER TABLE mark ADD COLUMN newest_ms INTEGER NOT NULL DEFAULT 0; -- newest reading that came in
-- The outboxes of each host: one is current, all others wait.
CREATE TABLE outbox(
  id TEXT PRIMARY KEY,
  host TEXT NOT NULL,           -- its UUID
  current INTEGER NOT NULL,     -- 1: its records are accounted
  since_ms INTEGER NOT NULL     -- counters are read on from their first reading after that
) WITHOUT ROWID;
