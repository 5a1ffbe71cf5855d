-- What was refused at the door, by webhook and cause: how often, and the newest few without their bodies. Few rows both:
-- a flood changes counts and replaces samples.
CREATE TABLE refusal (
  webhook TEXT NOT NULL,
  cause TEXT NOT NULL,          -- "mismatch", "stale", "address_rate", …
  count INTEGER NOT NULL,
  first_at INTEGER NOT NULL,
  last_at INTEGER NOT NULL,
  PRIMARY KEY (webhook, cause)
) STRICT, WITHOUT ROWID;

CREATE TABLE refused_delivery (
  row INTEGER PRIMARY KEY AUTOINCREMENT,
  webhook TEXT NOT NULL,
  cause TEXT NOT NULL,
  received_at INTEGER NOT NULL,
  remote_address TEXT NOT NULL,
  request_id TEXT NOT NULL,
  method TEXT NOT NULL,
  path TEXT NOT NULL,
  query TEXT NOT NULL,
  headers TEXT NOT NULL,        -- JSON object, without secrets and signatures
  body_bytes INTEGER NOT NULL
) STRICT;
CREATE INDEX refused_delivery_cause ON refused_delivery (webhook, cause, row);

-- Which of the configured secrets a delivery was signed with, from 1; null: none was needed, or nobody knows.
ALTER TABLE delivery_body ADD COLUMN secret_number INTEGER;
