-- One row: who may write, and the newest commit.
CREATE TABLE lease(
  id INTEGER PRIMARY KEY CHECK (id = 1),
  number INTEGER NOT NULL,      -- of the taking; another one means that the ledger was taken over
  holder TEXT NOT NULL,
  period_ms INTEGER NOT NULL,   -- length of a usage period; fixed with the file
  commit_no INTEGER NOT NULL,
  time_ms INTEGER NOT NULL      -- of the newest commit
);
-- Commits that wrote usage of finished periods.
CREATE TABLE commits(number INTEGER PRIMARY KEY, time_ms INTEGER NOT NULL);
-- Where to read on.
CREATE TABLE partition(
  topic TEXT NOT NULL,
  partition INTEGER NOT NULL,
  cluster TEXT NOT NULL,
  generation INTEGER NOT NULL,  -- of the assignment
  next_offset INTEGER NOT NULL, -- -2: the earliest
  PRIMARY KEY (topic, partition)
) WITHOUT ROWID;
-- How far the records of an outbox's lane have come in without a gap.
CREATE TABLE mark(
  outbox TEXT NOT NULL,
  lane INTEGER NOT NULL,
  mark INTEGER NOT NULL,
  host TEXT,
  seen_ms INTEGER NOT NULL,
  PRIMARY KEY (outbox, lane)
) WITHOUT ROWID;
-- What usage is billed by.
CREATE TABLE owner(
  id INTEGER PRIMARY KEY,
  project TEXT NOT NULL,
  user TEXT NOT NULL,
  flavor TEXT NOT NULL,
  state TEXT NOT NULL,
  UNIQUE (project, user, flavor, state)
);
CREATE TABLE meter(
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  unit TEXT NOT NULL,
  type INTEGER NOT NULL,        -- 0 gauge, 1 cumulative, 2 delta
  basis INTEGER NOT NULL        -- 0 consumed, 1 allocated, 2 observed
);
-- A VM, a host or another producer's thing: the state of its streams with their open period, packed.
CREATE TABLE entity(
  id INTEGER PRIMARY KEY,
  key TEXT NOT NULL UNIQUE,
  live INTEGER NOT NULL,        -- 1: something is open
  packed BLOB NOT NULL
);
CREATE INDEX entity_live ON entity(id) WHERE live = 1;
-- What was said of an entity, from when.
CREATE TABLE entity_attributes(
  entity TEXT NOT NULL,
  from_ms INTEGER NOT NULL,
  owner INTEGER NOT NULL,
  name TEXT NOT NULL,           -- for people
  host TEXT NOT NULL,           -- the hypervisor it is on
  attributes TEXT NOT NULL,     -- JSON object
  PRIMARY KEY (entity, from_ms)
) WITHOUT ROWID;
CREATE TABLE resource(
  id INTEGER PRIMARY KEY,
  key TEXT NOT NULL UNIQUE,     -- entity, or entity-device
  entity TEXT NOT NULL,
  kind INTEGER NOT NULL,        -- 0 instance, 1 disk, 2 interface, 3 host, 4 other
  device TEXT NOT NULL
);
CREATE INDEX resource_entity ON resource(entity);
CREATE TABLE stream(
  id INTEGER PRIMARY KEY,
  resource INTEGER NOT NULL,
  meter INTEGER NOT NULL,
  uid INTEGER NOT NULL,         -- the poller's
  start_ms INTEGER NOT NULL,
  owner INTEGER NOT NULL,
  size INTEGER,                 -- allocated: of the segment
  running INTEGER NOT NULL,
  base INTEGER NOT NULL,
  value INTEGER,                -- newest reading, once parked; NULL: the entity has it
  last_ms INTEGER,              -- its time
  UNIQUE (resource, meter, uid)
);
-- Usage of finished periods: facts. Consumed: units. Allocated: milliseconds of the stream's size.
CREATE TABLE usage(
  period_ms INTEGER NOT NULL,
  stream INTEGER NOT NULL,
  commit_no INTEGER NOT NULL,
  amount INTEGER NOT NULL,
  covered_ms INTEGER NOT NULL,
  PRIMARY KEY (period_ms, stream, commit_no)
) WITHOUT ROWID;
-- The same, summed: quantity = high * 2^62 + low, 0 <= low < 2^62.
CREATE TABLE day_sum(
  day_ms INTEGER NOT NULL,
  owner INTEGER NOT NULL,
  meter INTEGER NOT NULL,
  high INTEGER NOT NULL,
  low INTEGER NOT NULL,
  covered_ms INTEGER NOT NULL,
  PRIMARY KEY (day_ms, owner, meter)
) WITHOUT ROWID;
-- Records that were not understood or not accepted; the newest ones.
CREATE TABLE dead_letter(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  time_ms INTEGER NOT NULL,
  topic TEXT NOT NULL,
  partition INTEGER NOT NULL,
  offset INTEGER NOT NULL,
  reason TEXT NOT NULL,
  key BLOB,
  value BLOB,
  size INTEGER NOT NULL
);
