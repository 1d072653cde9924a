-- The intelligence view. Rows hold `pos`, never bodies; every row but the dictionaries' carries its collection.
-- Keyed 64-bit hashes map ids and values once to dense numbers in log order: dense keys keep the pages hot.

-- Dictionaries: objects' ids, selectors' values, and short words (types, properties).
CREATE TABLE IF NOT EXISTS object_rows(h INTEGER NOT NULL, n INTEGER NOT NULL, PRIMARY KEY(h, n)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS object_rows_new(h INTEGER NOT NULL, n INTEGER NOT NULL, PRIMARY KEY(h, n)) WITHOUT ROWID;
-- An id that can be guessed from the number behind it stands as its keyed hash; `shown` is the id itself while anything that
-- stands says it.
CREATE TABLE IF NOT EXISTS objects(obj INTEGER PRIMARY KEY, id TEXT NOT NULL, shown TEXT);
CREATE TABLE IF NOT EXISTS selector_rows(h INTEGER NOT NULL, n INTEGER NOT NULL, PRIMARY KEY(h, n)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS selector_rows_new(h INTEGER NOT NULL, n INTEGER NOT NULL, PRIMARY KEY(h, n)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS selectors(sel INTEGER PRIMARY KEY, kind INTEGER NOT NULL, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS words(word INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE);

-- Every version of every object in every collection. `version` is µs (an SCO's is its arrival); `state` is a set of
-- bits: 1 last, 2 first (in this collection, of what stands), 4 withdrawn, 8 expunged, 16 revoked, 32 wrong id,
-- 64 not all linked, 128 has no version of its own, 256 its words are in `texts`.
CREATE TABLE IF NOT EXISTS versions(
  col INTEGER NOT NULL, pos INTEGER NOT NULL, obj INTEGER NOT NULL, version INTEGER NOT NULL, state INTEGER NOT NULL,
  type INTEGER NOT NULL, spec INTEGER NOT NULL, tlp INTEGER NOT NULL, arrived INTEGER NOT NULL, cause INTEGER,
  author INTEGER NOT NULL, PRIMARY KEY(col, pos)) WITHOUT ROWID;
-- What stands apart from what was withdrawn or erased, so that the first and the last that stand are one step away, however
-- many versions an object has.
CREATE INDEX IF NOT EXISTS versions_of_object ON versions(obj, col, (state & 12), version);
-- What stands, without stepping over what was withdrawn or replaced.
CREATE INDEX IF NOT EXISTS versions_standing ON versions(col, pos, tlp) WHERE state & 13 = 1;

-- Who holds which selector: the current version in a collection only. n holders of one value are n rows. A collection's
-- holders stand together, so that reading never steps over rows that the reader may not see. `flags` are those of the
-- finding, and 256: an observable without versions, which stands for itself in each collection.
CREATE TABLE IF NOT EXISTS holders(sel INTEGER NOT NULL, col INTEGER NOT NULL, pos INTEGER NOT NULL, obj INTEGER NOT NULL,
  strength INTEGER NOT NULL, flags INTEGER NOT NULL, PRIMARY KEY(sel, col, pos)) WITHOUT ROWID;

-- References of current versions: from `src` to `obj` by a property (for relationships: their type).
-- A collection's stand together, as holders do.
CREATE TABLE IF NOT EXISTS refs(obj INTEGER NOT NULL, col INTEGER NOT NULL, pos INTEGER NOT NULL, word INTEGER NOT NULL,
  src INTEGER NOT NULL, PRIMARY KEY(obj, col, pos, word)) WITHOUT ROWID;

-- Full text of every version that was the last once and still stands: who reads asks `versions` which is the last now
-- (taking a version's words out costs a page for each word). Contentless: the text itself stands in the log alone. rowid = collection << 36 | pos:
-- a collection's rows stand together in every posting list, so a search over ranges of rows never touches a posting that
-- its reader may not see, and takes no longer for it. Marks count as letters: Thai, Hindi and Burmese vowels are marks.
CREATE VIRTUAL TABLE IF NOT EXISTS texts USING fts5(text, content='',
  tokenize="unicode61 remove_diacritics 2 categories 'L* M* N* Co'");
-- Larger pieces: fewer levels, so fewer merges and fewer pieces that a search opens.
INSERT INTO texts(texts, rank) VALUES ('hashsize', 4194304);
-- A deleted row's words leave the file at once, not at the next merge (FTS5's own option; "Expunge").
INSERT INTO texts(texts, rank) VALUES ('secure-delete', 1);

-- The first row of each window of a collection's rows, narrow ones (512 rows) and wide ones (8,192). Each text ends with its
-- windows' words: a query of several words that asks for one too ends with the window, instead of looking for their next
-- meeting among what is hidden.
CREATE TABLE IF NOT EXISTS windows(col INTEGER NOT NULL, wide INTEGER NOT NULL, first INTEGER NOT NULL,
  PRIMARY KEY(col, wide, first)) WITHOUT ROWID;

-- How much of each type stands in each collection: objects, and versions of them.
CREATE TABLE IF NOT EXISTS stock(col INTEGER NOT NULL, type INTEGER NOT NULL, objects INTEGER NOT NULL, versions INTEGER NOT NULL,
  PRIMARY KEY(col, type)) WITHOUT ROWID;

-- Which versions were withdrawn, by whom, when and why: never what they said. An erasure takes the row away.
CREATE TABLE IF NOT EXISTS withdrawals(col INTEGER NOT NULL, pos INTEGER NOT NULL, cause INTEGER, author INTEGER NOT NULL,
  arrived INTEGER NOT NULL, reason INTEGER NOT NULL, PRIMARY KEY(col, pos)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS withdrawals_of_import ON withdrawals(cause, col, arrived) WHERE cause IS NOT NULL;
-- A reason once, however many versions went for it; it goes with the last of them.
CREATE TABLE IF NOT EXISTS reasons(reason INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE);

-- Imports, and what each brought or met again.
CREATE TABLE IF NOT EXISTS imports(pos INTEGER PRIMARY KEY, col INTEGER NOT NULL, source TEXT NOT NULL, format TEXT NOT NULL,
  author INTEGER NOT NULL, arrived INTEGER NOT NULL, state INTEGER NOT NULL DEFAULT 0, summary TEXT);
CREATE TABLE IF NOT EXISTS brought(cause INTEGER NOT NULL, pos INTEGER NOT NULL, col INTEGER NOT NULL, again INTEGER NOT NULL,
  PRIMARY KEY(cause, pos)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS brought_again ON brought(pos) WHERE again = 1;

-- A person's word that a suppressed selector links after all, or that a linking one must not.
-- One a collection, so that a word said in one never replaces what others read in another.
CREATE TABLE IF NOT EXISTS overrules(sel INTEGER NOT NULL, links INTEGER NOT NULL, author INTEGER NOT NULL,
  arrived INTEGER NOT NULL, reason TEXT NOT NULL, col INTEGER NOT NULL, PRIMARY KEY(sel, col)) WITHOUT ROWID;
