-- Lists of an agent, a source or a state, and of any two or three of them, in the order of their rows: each combination that
-- there is is read from the newest row on, and they are merged. What runs is few and has task_state. A task that is made or
-- claimed costs no more entries than with the index by agent alone.
DROP INDEX task_agent;
CREATE INDEX task_queued ON task (agent, source) WHERE state = 0;
CREATE INDEX task_stood ON task (agent, source, state) WHERE state <> 0 AND state <> 1;

-- The rows that a clock which was set back has made: they are older than the row before. Between two of them times ascend with
-- rows, so that a time is found by halving.
CREATE TABLE task_turn (
  row INTEGER PRIMARY KEY
) STRICT;
INSERT INTO task_turn SELECT row FROM (SELECT row, created_at, lag(created_at) OVER (ORDER BY row) AS before FROM task)
  WHERE created_at < before;

-- The words of tasks. It is behind the tasks, so that making one costs nothing: up to the row `reached` it is as they are, in each
-- transaction; the few behind that are read themselves.
CREATE VIRTUAL TABLE task_search USING fts5 (
  title, entity, error, content = 'task', content_rowid = 'row', tokenize = 'unicode61 remove_diacritics 2', prefix = '3 4'
);
INSERT INTO task_search (task_search) VALUES ('rebuild');
CREATE TABLE task_search_state (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  reached INTEGER NOT NULL
) STRICT;
INSERT INTO task_search_state SELECT 1, coalesce(max(row), 0) FROM task;

-- Approvals and rejections, newest first.
CREATE INDEX decision_kind ON decision (kind);
