-- Hot rows are narrow and reached by partial indexes; whatever is big lies in a table of its own with the same number.
-- Times are milliseconds since 1970 UTC. Public ids (UUID version 7) are 16 bytes, so that they sort by creation and
-- their indexes grow at the right edge only. Codes of states and verdicts are in store/rows.cpp.

-- One row: was the last host stopped in order? Without that the file is checked at the next start.
CREATE TABLE host_state (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  clean INTEGER NOT NULL
) STRICT;
INSERT INTO host_state VALUES (1, 1);

CREATE TABLE setting (
  name TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- ---- deliveries -----------------------------------------------------------------------------------------------------

CREATE TABLE delivery (
  row INTEGER PRIMARY KEY AUTOINCREMENT,
  id BLOB NOT NULL,
  webhook TEXT NOT NULL,
  key TEXT NOT NULL,
  verdict INTEGER NOT NULL,
  received_at INTEGER NOT NULL,
  due_at INTEGER,               -- deferred: when its hooks run again
  tries INTEGER NOT NULL,       -- how often its hooks failed
  duplicates INTEGER NOT NULL,  -- how often the same key came again
  body_bytes INTEGER NOT NULL,
  tasks BLOB,                   -- what it became: the 16-byte ids, one after the other
  message TEXT NOT NULL,
  entity TEXT NOT NULL,
  request_id TEXT NOT NULL,
  remote_address TEXT NOT NULL,
  plugin_hash TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX delivery_id ON delivery (id);
CREATE INDEX delivery_due ON delivery (due_at) WHERE due_at IS NOT NULL;

CREATE TABLE delivery_body (
  row INTEGER PRIMARY KEY REFERENCES delivery (row),
  method TEXT NOT NULL,
  path TEXT NOT NULL,
  query TEXT NOT NULL,
  timings TEXT NOT NULL,
  details TEXT NOT NULL,
  key_window INTEGER,           -- milliseconds; null: an equal key is a duplicate for ever
  headers TEXT NOT NULL,
  body BLOB NOT NULL
) STRICT;

-- Which delivery owns a key. Apart from the deliveries, so that keys can outlive them.
CREATE TABLE delivery_key (
  hash BLOB PRIMARY KEY,        -- first 16 bytes of SHA-256 over webhook, NUL, key
  delivery INTEGER NOT NULL,
  first_seen INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- ---- tasks ----------------------------------------------------------------------------------------------------------

CREATE TABLE task (
  row INTEGER PRIMARY KEY AUTOINCREMENT,
  id BLOB NOT NULL,
  state INTEGER NOT NULL,
  agent TEXT NOT NULL,
  rank INTEGER NOT NULL,        -- minus the priority, so that the ready index ascends
  run_at INTEGER NOT NULL,
  execution INTEGER NOT NULL,   -- the newest execution: its number is the fence; 0 before the first
  attempt INTEGER NOT NULL,
  max_retries INTEGER NOT NULL,
  crashes INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  finished_at INTEGER,
  delivery INTEGER,
  chain_depth INTEGER NOT NULL,
  needs_approval INTEGER NOT NULL,  -- 1: never queued before somebody approved it
  parent BLOB,                  -- public ids, so that they outlive the rows they name
  root BLOB,                    -- null: itself
  cancel_reason TEXT,           -- somebody wants a running task to end
  task_type TEXT NOT NULL,
  source TEXT NOT NULL,
  key TEXT,
  entity TEXT,
  title TEXT NOT NULL,
  error TEXT,
  hold_reason TEXT
) STRICT;
CREATE UNIQUE INDEX task_id ON task (id);
CREATE INDEX task_ready ON task (agent, rank, run_at) WHERE state = 0;
CREATE INDEX task_state ON task (state) WHERE state <> 0;
CREATE INDEX task_agent ON task (agent);
CREATE INDEX task_entity ON task (entity) WHERE entity IS NOT NULL;
CREATE INDEX task_key ON task (key) WHERE key IS NOT NULL AND state = 0;

CREATE TABLE task_body (
  row INTEGER PRIMARY KEY REFERENCES task (row),
  actor_id TEXT,
  actor_login TEXT,
  actor_role TEXT,
  links TEXT,                   -- JSON array of {rel, key, url}
  payload TEXT NOT NULL,
  previous_result TEXT          -- null: the first of its chain
) STRICT;

-- One attempt, one session. AUTOINCREMENT: the row number is the fence, so it never comes again.
CREATE TABLE execution (
  row INTEGER PRIMARY KEY AUTOINCREMENT,
  task INTEGER NOT NULL REFERENCES task (row),
  session BLOB NOT NULL,
  attempt INTEGER NOT NULL,
  started_at INTEGER NOT NULL,
  ended_at INTEGER,
  success INTEGER NOT NULL DEFAULT 0,
  input_tokens INTEGER NOT NULL DEFAULT 0,
  output_tokens INTEGER NOT NULL DEFAULT 0,
  cache_read_tokens INTEGER NOT NULL DEFAULT 0,
  cache_write_tokens INTEGER NOT NULL DEFAULT 0,
  cost_micro_usd INTEGER NOT NULL DEFAULT 0,
  progress REAL,
  agent TEXT NOT NULL,
  outcome TEXT NOT NULL,
  failure TEXT,
  model TEXT,
  next_agent TEXT,
  error TEXT,
  progress_message TEXT,
  models TEXT                   -- JSON object: usage by model
) STRICT;
CREATE INDEX execution_task ON execution (task);
CREATE UNIQUE INDEX execution_session ON execution (session);

CREATE TABLE execution_result (
  row INTEGER PRIMARY KEY REFERENCES execution (row),
  metrics TEXT NOT NULL,
  output TEXT NOT NULL
) STRICT;

CREATE TABLE transcript (
  row INTEGER PRIMARY KEY,
  execution INTEGER NOT NULL REFERENCES execution (row),
  at INTEGER NOT NULL,
  kind TEXT NOT NULL,
  line TEXT NOT NULL
) STRICT;
CREATE INDEX transcript_execution ON transcript (execution);

-- Who approved, rejected, retried or cancelled what.
CREATE TABLE decision (
  row INTEGER PRIMARY KEY,
  task INTEGER NOT NULL REFERENCES task (row),
  at INTEGER NOT NULL,
  kind TEXT NOT NULL,
  by_whom TEXT NOT NULL,
  comment TEXT NOT NULL,
  content_hash TEXT NOT NULL
) STRICT;
CREATE INDEX decision_task ON decision (task);
