-- What the texts of an event mention, to be found by its key (or, without one, its address).
CREATE TABLE task_link (
  key TEXT NOT NULL,
  task INTEGER NOT NULL,
  PRIMARY KEY (key, task)
) STRICT, WITHOUT ROWID;
CREATE INDEX task_link_task ON task_link (task);
CREATE TABLE delivery_link (
  key TEXT NOT NULL,
  delivery INTEGER NOT NULL,
  PRIMARY KEY (key, delivery)
) STRICT, WITHOUT ROWID;
CREATE INDEX delivery_link_delivery ON delivery_link (delivery);
ALTER TABLE delivery_body ADD COLUMN links TEXT;  -- JSON array of {rel, key, url}

-- A delivery that somebody let run again: its key is one of its own.
ALTER TABLE delivery ADD COLUMN replay_of BLOB;   -- public id of the one that a sender sent
ALTER TABLE delivery_body ADD COLUMN replayed_by TEXT;
ALTER TABLE delivery_body ADD COLUMN plugin_version TEXT NOT NULL DEFAULT '';

-- What is open about a delivery, so that neither it nor what it became is pruned.
CREATE INDEX task_open_delivery ON task (delivery) WHERE finished_at IS NULL AND delivery IS NOT NULL;
