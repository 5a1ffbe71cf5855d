-- How many tasks waited and ran, over time: of an agent, or ('') of all, a row where its numbers are others than in the row
-- before, and one a minute at most. They hold until the next row of the same watch (queue_watch), which begins with nothing.
CREATE TABLE queue_sample (
  agent TEXT NOT NULL,
  at INTEGER NOT NULL,
  queued INTEGER NOT NULL,
  running INTEGER NOT NULL,
  awaiting_approval INTEGER NOT NULL,
  deferred INTEGER NOT NULL,    -- deliveries, which have no agent: only of all
  PRIMARY KEY (agent, at)
) STRICT, WITHOUT ROWID;

-- When somebody looked. One ends, and the next begins, where a host ends, where the clock is set and where the database fails;
-- what lies between nobody knows. `until` is when the numbers were looked at last: of the newest, while a host runs, that is now.
CREATE TABLE queue_watch (
  since INTEGER PRIMARY KEY,
  until INTEGER NOT NULL
) STRICT;

-- Tasks that were made, by the hour (hours since 1970): those that the search has reached (task_search_state), also when they
-- were pruned since.
CREATE TABLE task_made (
  hour INTEGER NOT NULL,
  agent TEXT NOT NULL,
  tasks INTEGER NOT NULL,
  PRIMARY KEY (hour, agent)
) STRICT, WITHOUT ROWID;

INSERT INTO task_made
  SELECT created_at / 3600000, agent, count(*) FROM task WHERE row <= (SELECT reached FROM task_search_state) GROUP BY 1, 2;
