-- How often an attempt was lost because the host ended or its lease ran out: not the task's doing, so not a crash.
ALTER TABLE task ADD COLUMN losses INTEGER NOT NULL DEFAULT 0;
-- Why a queued task waits although nobody chose its run_at: 0 it does not, 1 the back-off of a retry (run_at is a delay),
-- 2 a budget is spent (until run_at), 3 a budget is set aside for sessions that run (until one of them ends).
ALTER TABLE task ADD COLUMN hold INTEGER NOT NULL DEFAULT 0;
CREATE INDEX task_hold ON task (hold) WHERE state = 0 AND hold <> 0;
-- The line it stands in: tasks of one line run one after another. Its entity, or what that belongs to; null: none. What is
-- completed stands nowhere, so it keeps none from before.
ALTER TABLE task ADD COLUMN line TEXT;
UPDATE task SET line = entity WHERE entity IS NOT NULL AND state <> 3;
DROP INDEX task_entity_running;
DROP INDEX task_entity_queued;
CREATE INDEX task_line_running ON task (line) WHERE state = 1 AND line IS NOT NULL;
CREATE INDEX task_line_queued ON task (line, agent, blocked, rank, run_at) WHERE state = 0 AND line IS NOT NULL;
ALTER TABLE task ADD COLUMN rework INTEGER NOT NULL DEFAULT 0;  -- how often its chain was sent back by a reject
CREATE INDEX task_root ON task (root) WHERE root IS NOT NULL;   -- a chain, and what it cost
ALTER TABLE task_body ADD COLUMN chain TEXT;                    -- the agents before it, JSON array; null: the first

-- Money set aside for the session, in millionths of a US dollar; 0 once its cost is final.
ALTER TABLE execution ADD COLUMN reserved_micro_usd INTEGER NOT NULL DEFAULT 0;

ALTER TABLE decision ADD COLUMN way TEXT NOT NULL DEFAULT '';       -- "cli", "api", "webhook", …
ALTER TABLE decision ADD COLUMN actor_id TEXT NOT NULL DEFAULT '';  -- of who decided, by the sender's own id

-- While a task waits for a person; goes with the decision.
CREATE TABLE approval (
  task INTEGER PRIMARY KEY REFERENCES task (row),
  asked_at INTEGER NOT NULL,
  deadline INTEGER,             -- null: none
  reminders INTEGER NOT NULL DEFAULT 0,
  next_at INTEGER               -- the next reminder or the deadline, whichever comes first
) STRICT;
CREATE INDEX approval_next ON approval (next_at) WHERE next_at IS NOT NULL;
INSERT INTO approval (task, asked_at) SELECT row, updated_at FROM task WHERE state = 2;

CREATE TABLE pause (
  agent TEXT PRIMARY KEY,       -- '': all
  since INTEGER NOT NULL,
  until INTEGER,                -- null: until somebody resumes it
  reason TEXT NOT NULL,
  by_whom TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- The recurring tasks of the configuration.
CREATE TABLE schedule (
  name TEXT PRIMARY KEY,
  agent TEXT NOT NULL,
  cron TEXT NOT NULL,           -- as it was configured
  last_slot INTEGER NOT NULL,   -- the newest time that is done with; at first that of its adoption
  last_task BLOB                -- id of the newest task; null: none yet
) STRICT, WITHOUT ROWID;

-- What was spent, by the UTC day (days since 1970) in which the session began. Outlives the executions.
CREATE TABLE spend (
  day INTEGER NOT NULL,
  scope INTEGER NOT NULL,       -- 0 everything, 1 an agent, 2 an actor or, without one, a source
  key TEXT NOT NULL,
  micro_usd INTEGER NOT NULL,
  PRIMARY KEY (day, scope, key)
) STRICT, WITHOUT ROWID;

INSERT INTO spend (day, scope, key, micro_usd)
  SELECT started_at / 86400000, 0, '', sum(cost_micro_usd) FROM execution WHERE ended_at IS NOT NULL AND cost_micro_usd > 0
  GROUP BY 1;
INSERT INTO spend (day, scope, key, micro_usd)
  SELECT started_at / 86400000, 1, agent, sum(cost_micro_usd) FROM execution WHERE ended_at IS NOT NULL AND cost_micro_usd > 0
  GROUP BY 1, agent;

-- Ended executions by UTC day, for counters after a restart and for charts of what was pruned. One row per model: executions
-- and duration count in that of the main model only.
CREATE TABLE day_book (
  day INTEGER NOT NULL,
  agent TEXT NOT NULL,
  task_type TEXT NOT NULL,
  source TEXT NOT NULL,
  outcome TEXT NOT NULL,
  model TEXT NOT NULL,
  executions INTEGER NOT NULL,
  duration_ms INTEGER NOT NULL,
  input_tokens INTEGER NOT NULL,
  output_tokens INTEGER NOT NULL,
  cache_read_tokens INTEGER NOT NULL,
  cache_write_tokens INTEGER NOT NULL,
  cost_micro_usd INTEGER NOT NULL,
  PRIMARY KEY (day, agent, task_type, source, outcome, model)
) STRICT, WITHOUT ROWID;

-- From before models are not told apart.
INSERT INTO day_book
  SELECT e.started_at / 86400000, e.agent, t.task_type, coalesce(r.source, t.source), e.outcome, coalesce(e.model, ''),
         count(*), sum(max(e.ended_at - e.started_at, 0)), sum(e.input_tokens), sum(e.output_tokens),
         sum(e.cache_read_tokens), sum(e.cache_write_tokens), sum(e.cost_micro_usd)
    FROM execution e JOIN task t ON t.row = e.task LEFT JOIN task r ON r.id = t.root
   WHERE e.ended_at IS NOT NULL GROUP BY 1, 2, 3, 4, 5, 6;

-- Lines of an execution's transcript that were packed: deflate of JSON lines.
CREATE TABLE transcript_pack (
  row INTEGER PRIMARY KEY,
  execution INTEGER NOT NULL REFERENCES execution (row),
  first_line INTEGER NOT NULL,
  lines INTEGER NOT NULL,
  bytes INTEGER NOT NULL,       -- before packing
  packed BLOB NOT NULL
) STRICT;
CREATE INDEX transcript_pack_execution ON transcript_pack (execution);

CREATE TABLE artifact (
  row INTEGER PRIMARY KEY,
  execution INTEGER NOT NULL REFERENCES execution (row),
  name TEXT NOT NULL,
  content_type TEXT NOT NULL,
  bytes INTEGER NOT NULL,       -- before packing
  sha256 TEXT NOT NULL,
  deflated INTEGER NOT NULL,
  content BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX artifact_name ON artifact (execution, name);
