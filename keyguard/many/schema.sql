-- The store of an audit, version 1. docs/many.md explains it with queries; a change here is a new version.
-- No column holds a key: `key` is an HMAC of it, `masked` how it is shown. Dates are UTC, yyyy-mm-ddThh:mm:ssZ.
-- Columns that end in _json hold what has no column of its own, for keyguard to read back.

-- One run over a list of repositories; `finished` is null while it runs, and when it was killed.
CREATE TABLE audits (
  id INTEGER PRIMARY KEY,
  started TEXT NOT NULL,
  finished TEXT,
  version TEXT NOT NULL,
  is_complete INTEGER NOT NULL DEFAULT 0,
  notices_json TEXT NOT NULL DEFAULT '[]'
);

-- `number` is the place in the list, `is_listed` whether the newest audit's list has it. `audit` is the last one that
-- read it or found it unchanged; `state` is a digest of its refs and files then, null when it must be read again.
CREATE TABLE repositories (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  path TEXT NOT NULL,
  number INTEGER NOT NULL DEFAULT 0,
  is_listed INTEGER NOT NULL DEFAULT 1,
  audit INTEGER REFERENCES audits (id),
  state TEXT,
  head TEXT NOT NULL DEFAULT '',
  files INTEGER NOT NULL DEFAULT 0,
  commits INTEGER NOT NULL DEFAULT 0,
  blobs INTEGER NOT NULL DEFAULT 0,
  size INTEGER NOT NULL DEFAULT 0,
  refs INTEGER NOT NULL DEFAULT 0,
  missing INTEGER NOT NULL DEFAULT 0,
  is_shallow INTEGER NOT NULL DEFAULT 0,
  error TEXT,
  is_complete INTEGER NOT NULL DEFAULT 0,
  notices_json TEXT NOT NULL DEFAULT '[]'
);

-- The commits that brought a key in or took it away.
CREATE TABLE commits (
  repository INTEGER NOT NULL REFERENCES repositories (id),
  id TEXT NOT NULL,
  date TEXT NOT NULL,
  author TEXT NOT NULL,
  subject TEXT NOT NULL,
  PRIMARY KEY (repository, id)
) WITHOUT ROWID;

-- One place of a finding. `key` is null for findings about anything but a key. `place` orders those of a key.
CREATE TABLE sightings (
  id INTEGER PRIMARY KEY,
  repository INTEGER NOT NULL REFERENCES repositories (id),
  number INTEGER NOT NULL,
  place INTEGER,
  key TEXT,
  rule TEXT NOT NULL,
  severity TEXT NOT NULL,
  provider TEXT,
  masked TEXT,
  message TEXT NOT NULL,
  path TEXT NOT NULL,
  line INTEGER NOT NULL,
  col INTEGER NOT NULL,
  kind TEXT NOT NULL,
  blob TEXT,
  first_commit TEXT,
  last_commit TEXT,
  at_head INTEGER NOT NULL,
  on_disk INTEGER NOT NULL,
  ref_count INTEGER NOT NULL,
  refs_json TEXT NOT NULL,
  finding_json TEXT NOT NULL
);
CREATE INDEX sightings_of_key ON sightings (key);
CREATE INDEX sightings_of_repository ON sightings (repository, path);

-- One key wherever it stands. `urgency` is 0 for what to do first. `verdict` is live, restricted, dead, unknown, or null
-- when nobody was asked; `asked` is when. `first_date` is when it came in, `last_date` when the last place lost it.
CREATE TABLE leaks (
  key TEXT PRIMARY KEY,
  urgency INTEGER NOT NULL,
  rank TEXT NOT NULL,
  severity TEXT NOT NULL,
  provider TEXT,
  masked TEXT NOT NULL,
  reach TEXT NOT NULL,
  at_head INTEGER NOT NULL,
  first_date TEXT,
  last_date TEXT,
  places INTEGER NOT NULL,
  repositories INTEGER NOT NULL,
  is_new INTEGER,
  verdict TEXT,
  asked TEXT,
  leak_json TEXT NOT NULL
) WITHOUT ROWID;

-- Keys whose sightings changed after their leak was summed up; empty once an audit has ended.
CREATE TABLE stale (key TEXT PRIMARY KEY) WITHOUT ROWID;

-- One connection to a model API; `variables` are those whose keys it sends, separated by spaces.
CREATE TABLE connections (
  id INTEGER PRIMARY KEY,
  repository INTEGER NOT NULL REFERENCES repositories (id),
  number INTEGER NOT NULL,
  path TEXT NOT NULL,
  line INTEGER NOT NULL,
  col INTEGER NOT NULL,
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  library TEXT NOT NULL,
  host TEXT NOT NULL,
  provider TEXT,
  route TEXT NOT NULL,
  key_kind TEXT NOT NULL,
  variables TEXT NOT NULL,
  row_json TEXT NOT NULL
);
CREATE INDEX connections_of_repository ON connections (repository, key_kind, path);

-- Every place of every key in the repositories of the newest list.
CREATE VIEW places AS
SELECT
  repositories.name AS repository, sightings.path, sightings.line, sightings.col, sightings.kind, sightings.rule,
  sightings.severity, sightings.provider, sightings.masked, sightings.message, sightings.at_head, sightings.on_disk,
  brought.id AS first_commit, brought.date AS first_date, brought.author AS first_author,
  taken.id AS last_commit, taken.date AS last_date, taken.author AS last_author,
  leaks.rank, leaks.verdict, leaks.is_new, sightings.key
FROM sightings
JOIN repositories ON repositories.id = sightings.repository AND repositories.is_listed
LEFT JOIN leaks ON leaks.key = sightings.key
LEFT JOIN commits AS brought ON brought.repository = sightings.repository AND brought.id = sightings.first_commit
LEFT JOIN commits AS taken ON taken.repository = sightings.repository AND taken.id = sightings.last_commit
WHERE sightings.key IS NOT NULL
ORDER BY repositories.number, sightings.number;

-- What is left to do, most urgent first: every key that is none of the published ones and not known to be dead.
CREATE VIEW open_leaks AS
SELECT * FROM leaks
WHERE rank IN ('head', 'history', 'test') AND coalesce(verdict, '') <> 'dead'
ORDER BY urgency, first_date;

-- Keys whose provider said that they work.
CREATE VIEW live_keys AS
SELECT * FROM leaks WHERE verdict IN ('live', 'restricted') ORDER BY verdict, urgency, first_date;

-- Repositories of the newest list that were not read, or not to their end, by the newest audit.
CREATE VIEW not_read AS
SELECT name, path, error, missing FROM repositories
WHERE is_listed AND (error IS NOT NULL OR NOT is_complete OR audit IS NOT (SELECT max(id) FROM audits))
ORDER BY number;

-- Which hosts the code of how many repositories talks to.
CREATE VIEW hosts AS
SELECT host, connections.provider, route, count(DISTINCT repository) AS repositories, count(*) AS connections
FROM connections
JOIN repositories ON repositories.id = connections.repository AND repositories.is_listed
GROUP BY host, connections.provider, route
ORDER BY 4 DESC, host;
