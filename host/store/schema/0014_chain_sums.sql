-- Chains that have come to an end, counted as they do: a chain ends with each task that is completed or failed and that none
-- follows. Kept in the transaction that ends it, follows it or tries it again.

-- Which agents worked in a chain, in their order: those of `before`, then this one.
CREATE TABLE chain_pattern (
  id INTEGER PRIMARY KEY,
  before INTEGER NOT NULL,      -- 0: it is the first
  agent TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX chain_pattern_agent ON chain_pattern (before, agent);

-- The place of a task in its chain, as it was when it was made; what is pruned of its chain changes nothing in it. A task that
-- is the first has none, but for `followed`.
CREATE TABLE chain_place (
  task INTEGER PRIMARY KEY REFERENCES task (row),
  pattern INTEGER NOT NULL,     -- with its own agent; -1: one of too many to tell them apart
  begun_at INTEGER NOT NULL,    -- when the first of its chain was made
  cost_micro_usd INTEGER NOT NULL,  -- of the tasks before it
  followed INTEGER NOT NULL     -- 1: by a task that was pruned before it
) STRICT;

CREATE TABLE chain_sum (
  day INTEGER NOT NULL,         -- on which they ended, UTC
  pattern INTEGER NOT NULL,
  gone INTEGER NOT NULL,        -- 1: their last task was pruned; the others add up to what the rows say
  count INTEGER NOT NULL,
  succeeded INTEGER NOT NULL,
  duration_ms INTEGER NOT NULL, -- from the first task's making to the last one's end
  cost_micro_usd INTEGER NOT NULL,
  PRIMARY KEY (day, pattern, gone)
) STRICT, WITHOUT ROWID;

-- Also whether any task follows one.
DROP INDEX task_root;
CREATE INDEX task_root ON task (root, parent) WHERE root IS NOT NULL;

-- The day book without its days, which is what counters begin with.
CREATE TABLE execution_total (
  agent TEXT NOT NULL,
  outcome TEXT NOT NULL,
  task_type TEXT NOT NULL,
  executions INTEGER NOT NULL,
  first_day INTEGER NOT NULL,
  PRIMARY KEY (agent, outcome, task_type)
) STRICT, WITHOUT ROWID;

-- What there is already. Where tasks before one were pruned, it knows their agents.
INSERT INTO execution_total
  SELECT agent, outcome, task_type, sum(executions), min(day) FROM day_book GROUP BY agent, outcome, task_type;

CREATE TEMP TABLE cost (task INTEGER PRIMARY KEY, micro_usd INTEGER NOT NULL);
INSERT INTO cost SELECT task, sum(cost_micro_usd) FROM execution GROUP BY task;

-- `path`: the agents up to a task, each but the last with the sign of an end behind it.
CREATE TEMP TABLE place (
  task INTEGER PRIMARY KEY, follows INTEGER, depth INTEGER, path TEXT, begun_at INTEGER, micro_usd INTEGER);
INSERT INTO place
  WITH RECURSIVE member (task, id, root, follows, depth, path, begun_at, micro_usd) AS (
    SELECT t.row, t.id, coalesce(t.root, t.id), t.parent IS NOT NULL,
           1 + iif(t.parent IS NULL, 0, coalesce(json_array_length(b.chain), 0)),
           iif(t.parent IS NULL, '', coalesce((SELECT group_concat(value || char(31), '') FROM json_each(b.chain)), ''))
             || t.agent,
           t.created_at, 0
      FROM task t LEFT JOIN task_body b ON t.parent IS NOT NULL AND b.row = t.row
     WHERE t.parent IS NULL OR NOT EXISTS (SELECT 1 FROM task p WHERE p.id = t.parent)
    UNION ALL
    SELECT c.row, c.id, m.root, 1, m.depth + 1, m.path || char(31) || c.agent, m.begun_at,
           m.micro_usd + coalesce((SELECT micro_usd FROM cost WHERE cost.task = m.task), 0)
      FROM member m JOIN task c INDEXED BY task_root ON c.root = m.root AND c.parent = m.id)
  SELECT task, follows, depth, path, begun_at, micro_usd FROM member;

CREATE TEMP TABLE path (path TEXT PRIMARY KEY, depth INTEGER, first INTEGER, before TEXT);
INSERT INTO path
  SELECT path, depth, min(task), rtrim(rtrim(path, replace(path, char(31), '')), char(31)) FROM place GROUP BY path;
INSERT OR IGNORE INTO path
  WITH RECURSIVE up (path, depth, first) AS (
    SELECT before, depth - 1, first FROM path WHERE depth > 1
    UNION SELECT rtrim(rtrim(path, replace(path, char(31), '')), char(31)), depth - 1, first FROM up WHERE depth > 1)
  SELECT path, depth, first, rtrim(rtrim(path, replace(path, char(31), '')), char(31)) FROM up;

-- So many patterns at most; those that are the beginning of others come first.
CREATE TEMP TABLE known (path TEXT PRIMARY KEY, id INTEGER);
INSERT INTO known SELECT path, row_number() OVER (ORDER BY depth, first, path) FROM path ORDER BY depth, first, path LIMIT 1000;
INSERT INTO chain_pattern
  SELECT k.id, coalesce((SELECT id FROM known b WHERE b.path = p.before), 0), substr(p.path, iif(p.depth = 1, 1, length(p.before) + 2))
    FROM known k JOIN path p ON p.path = k.path ORDER BY k.id;

INSERT INTO chain_place
  SELECT p.task, coalesce(k.id, -1), p.begun_at, p.micro_usd, 0 FROM place p LEFT JOIN known k ON k.path = p.path
   WHERE p.follows ORDER BY p.task;
INSERT INTO chain_sum
  SELECT t.finished_at / 86400000, coalesce(k.id, -1), 0, count(*), sum(t.state = 3), sum(max(t.finished_at - p.begun_at, 0)),
         sum(p.micro_usd + coalesce((SELECT micro_usd FROM cost WHERE cost.task = t.row), 0))
    FROM task t JOIN place p ON p.task = t.row LEFT JOIN known k ON k.path = p.path
   WHERE t.state IN (3, 4) AND NOT EXISTS
         (SELECT 1 FROM task c INDEXED BY task_root WHERE c.root = coalesce(t.root, t.id) AND c.parent = t.id)
   GROUP BY 1, 2;

DROP TABLE cost;
DROP TABLE place;
DROP TABLE path;
DROP TABLE known;
