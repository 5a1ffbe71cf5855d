-- Tasks that were pruned, by the day on which they were made (UTC) and the state they had, so that what is counted of days
-- outlives them. Written in the transaction that prunes. -1: nobody knows, they were pruned before this was counted.
CREATE TABLE task_gone (
  day INTEGER NOT NULL,
  state INTEGER NOT NULL,
  tasks INTEGER NOT NULL,
  PRIMARY KEY (day, state)
) STRICT, WITHOUT ROWID;

INSERT INTO task_gone
  SELECT m.day, -1, m.made - coalesce(k.kept, 0)
    FROM (SELECT hour / 24 AS day, sum(tasks) AS made FROM task_made GROUP BY 1) m
    LEFT JOIN (SELECT created_at / 86400000 AS day, count(*) AS kept FROM task
                WHERE row <= (SELECT reached FROM task_search_state) GROUP BY 1) k ON k.day = m.day
   WHERE m.made > coalesce(k.kept, 0);

-- Of the sums of days by agent and outcome (day_sum, slice 0) the hours (UTC) in which the executions began. Written in the same
-- transaction, and always adding up to them. Hour -1: nobody knows, they were pruned before this was counted.
CREATE TABLE hour_sum (
  day INTEGER NOT NULL,
  hour INTEGER NOT NULL,        -- of the day
  agent TEXT NOT NULL,
  outcome TEXT NOT NULL,
  executions INTEGER NOT NULL,
  duration_ms INTEGER NOT NULL,
  input_tokens INTEGER NOT NULL,
  output_tokens INTEGER NOT NULL,
  cache_read_tokens INTEGER NOT NULL,
  cache_write_tokens INTEGER NOT NULL,
  cost_micro_usd INTEGER NOT NULL,
  PRIMARY KEY (day, hour, agent, outcome)
) STRICT, WITHOUT ROWID;

INSERT INTO hour_sum
  SELECT started_at / 86400000, started_at / 3600000 % 24, agent, outcome, count(*), sum(max(ended_at - started_at, 0)),
         sum(input_tokens), sum(output_tokens), sum(cache_read_tokens), sum(cache_write_tokens), sum(cost_micro_usd)
    FROM execution WHERE ended_at IS NOT NULL GROUP BY 1, 2, 3, 4;
INSERT INTO hour_sum
  SELECT day, -1, agent, name, sum(executions), sum(duration_ms), sum(input_tokens), sum(output_tokens),
         sum(cache_read_tokens), sum(cache_write_tokens), sum(cost_micro_usd)
    FROM (SELECT day, agent, name, executions, duration_ms, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens,
                 cost_micro_usd FROM day_sum WHERE slice = 0
          UNION ALL
          SELECT day, agent, outcome, -executions, -duration_ms, -input_tokens, -output_tokens, -cache_read_tokens,
                 -cache_write_tokens, -cost_micro_usd FROM hour_sum)
   GROUP BY day, agent, name
  HAVING sum(executions) <> 0 OR sum(duration_ms) <> 0 OR sum(input_tokens) <> 0 OR sum(output_tokens) <> 0
      OR sum(cache_read_tokens) <> 0 OR sum(cache_write_tokens) <> 0 OR sum(cost_micro_usd) <> 0;

-- Each Han character and each kana is a word of its own from now on (words_apart.h): tasks with such are indexed anew.
CREATE TEMP TABLE anew (row INTEGER PRIMARY KEY);
INSERT INTO anew SELECT row FROM task WHERE row <= (SELECT reached FROM task_search_state)
  AND (words_apart(title) <> title OR words_apart(entity) <> entity OR words_apart(error) <> error);
INSERT INTO task_search (task_search, rowid, title, entity, error)
  SELECT 'delete', row, title, entity, error FROM task WHERE row IN (SELECT row FROM anew);
INSERT INTO task_search (rowid, title, entity, error)
  SELECT row, words_apart(title), words_apart(entity), words_apart(error) FROM task WHERE row IN (SELECT row FROM anew);
DROP TABLE anew;
