-- Rows hold `pos`, never bodies: names stay in the log, where they can be expunged.
CREATE TABLE IF NOT EXISTS collections(
  col INTEGER PRIMARY KEY,      -- the collection's small number
  id TEXT NOT NULL,             -- its UUID
  node TEXT NOT NULL,           -- the node that writes it: whoever wrote its first audience
  first INTEGER NOT NULL,       -- pos of its first audience entry
  pos INTEGER NOT NULL          -- pos of the audience that holds
);
CREATE INDEX IF NOT EXISTS collections_pos ON collections(pos);
CREATE TABLE IF NOT EXISTS accounts(
  n INTEGER PRIMARY KEY,
  role TEXT NOT NULL,           -- compared, to tell when rights moved
  disabled INTEGER NOT NULL,
  first INTEGER NOT NULL,       -- pos of its first entry
  pos INTEGER NOT NULL,         -- pos of the entry that holds
  rights INTEGER NOT NULL       -- pos of the entry that last moved role or disabled: sessions from before it are void
);
CREATE INDEX IF NOT EXISTS accounts_pos ON accounts(pos);
CREATE TABLE IF NOT EXISTS house(one INTEGER PRIMARY KEY CHECK(one = 1), col INTEGER NOT NULL);
