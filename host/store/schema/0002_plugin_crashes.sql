-- What plugins brought down, by the hash of their library: enough of it puts these bytes into quarantine. Both tables
-- are small: crashes older than the window that counts are removed with the next one.
CREATE TABLE plugin_crash (
  row INTEGER PRIMARY KEY,
  sha256 TEXT NOT NULL,
  plugin TEXT NOT NULL,         -- instance
  call TEXT NOT NULL,           -- "handle"
  request_id TEXT NOT NULL,     -- or session id
  subject TEXT,                 -- crashes about the same one count once; null: always
  at INTEGER NOT NULL,
  reason TEXT NOT NULL
) STRICT;
CREATE INDEX plugin_crash_hash ON plugin_crash (sha256, at);

CREATE TABLE plugin_quarantine (
  sha256 TEXT PRIMARY KEY,
  plugin TEXT NOT NULL,
  since INTEGER NOT NULL,
  reason TEXT NOT NULL
) STRICT, WITHOUT ROWID;
