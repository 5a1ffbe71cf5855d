-- Deliveries of a webhook, of a verdict or of both, each pair in the order of rows.
CREATE INDEX delivery_webhook ON delivery (webhook, verdict);

-- The day book by fewer names, so that what is asked of years is answered from few rows. Written in the transaction that writes
-- the book, and always its sums.
CREATE TABLE day_sum (
  slice INTEGER NOT NULL,       -- what `name` is: 0 the outcome, 1 the model, 2 the task type, 3 the source
  day INTEGER NOT NULL,
  agent TEXT NOT NULL,
  name TEXT NOT NULL,
  executions INTEGER NOT NULL,
  duration_ms INTEGER NOT NULL,
  input_tokens INTEGER NOT NULL,
  output_tokens INTEGER NOT NULL,
  cache_read_tokens INTEGER NOT NULL,
  cache_write_tokens INTEGER NOT NULL,
  cost_micro_usd INTEGER NOT NULL,
  PRIMARY KEY (slice, day, agent, name)
) STRICT, WITHOUT ROWID;

INSERT INTO day_sum
  SELECT 0, day, agent, outcome, sum(executions), sum(duration_ms), sum(input_tokens), sum(output_tokens),
         sum(cache_read_tokens), sum(cache_write_tokens), sum(cost_micro_usd) FROM day_book GROUP BY day, agent, outcome;
INSERT INTO day_sum
  SELECT 1, day, agent, model, sum(executions), sum(duration_ms), sum(input_tokens), sum(output_tokens),
         sum(cache_read_tokens), sum(cache_write_tokens), sum(cost_micro_usd) FROM day_book GROUP BY day, agent, model;
INSERT INTO day_sum
  SELECT 2, day, agent, task_type, sum(executions), sum(duration_ms), sum(input_tokens), sum(output_tokens),
         sum(cache_read_tokens), sum(cache_write_tokens), sum(cost_micro_usd) FROM day_book GROUP BY day, agent, task_type;
INSERT INTO day_sum
  SELECT 3, day, agent, source, sum(executions), sum(duration_ms), sum(input_tokens), sum(output_tokens),
         sum(cache_read_tokens), sum(cache_write_tokens), sum(cost_micro_usd) FROM day_book GROUP BY day, agent, source;
