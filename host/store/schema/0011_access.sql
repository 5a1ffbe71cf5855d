-- Who may use the API beside the tokens of the configuration. What a secret is, nobody finds here: it has 256 random bits, and
-- its digest is kept.
CREATE TABLE access_token (
  row INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,    -- also of what was revoked: what a name did stays its own
  role INTEGER NOT NULL,        -- 0 reader, 1 admin
  sha256 BLOB NOT NULL UNIQUE,
  created_at INTEGER NOT NULL,
  created_by TEXT NOT NULL,
  expires_at INTEGER,           -- null: never
  used_at INTEGER,              -- to the hour; null: never
  revoked_at INTEGER            -- null: it is good
) STRICT;

-- Browsers that are signed in.
CREATE TABLE login_session (
  sha256 BLOB PRIMARY KEY,
  token_sha256 BLOB NOT NULL,   -- of the token it was made with, which may be one of the configuration
  created_at INTEGER NOT NULL,
  used_at INTEGER NOT NULL,
  address TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX login_session_token ON login_session (token_sha256);

-- What people did, and were kept from doing. Rows are added, and go with their age.
CREATE TABLE audit (
  row INTEGER PRIMARY KEY AUTOINCREMENT,
  at INTEGER NOT NULL,
  actor TEXT NOT NULL,
  way TEXT NOT NULL,
  operation TEXT NOT NULL,
  object TEXT NOT NULL,
  parameters TEXT NOT NULL,     -- JSON object
  outcome TEXT NOT NULL,        -- "done", "refused", "failed", "denied"
  reason TEXT NOT NULL,
  address TEXT NOT NULL,
  request_id TEXT NOT NULL,
  unrecorded INTEGER NOT NULL   -- with "denied": so many more before it, which are not kept
) STRICT;
CREATE INDEX audit_actor ON audit (actor, row);
CREATE INDEX audit_object ON audit (object, row) WHERE object <> '';
