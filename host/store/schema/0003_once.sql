-- Work about one entity is done one after another. A queued task whose turn has not come, because another one of its
-- entity runs or goes first, is blocked and not in the ready index; the end of that other one lets it in.
ALTER TABLE task ADD COLUMN blocked INTEGER NOT NULL DEFAULT 0;
DROP INDEX task_ready;
CREATE INDEX task_ready ON task (agent, rank, run_at) WHERE state = 0 AND blocked = 0;
CREATE INDEX task_entity_running ON task (entity) WHERE state = 1 AND entity IS NOT NULL;
CREATE INDEX task_entity_queued ON task (entity, agent, blocked, rank, run_at) WHERE state = 0 AND entity IS NOT NULL;

-- Where the sender's id is not signed, the same body under another id within a window is a replay.
ALTER TABLE delivery ADD COLUMN body_hash INTEGER;                    -- null: not looked for
ALTER TABLE delivery ADD COLUMN same_body INTEGER NOT NULL DEFAULT 0; -- how often its body came under another id
CREATE INDEX delivery_body_hash ON delivery (body_hash) WHERE body_hash IS NOT NULL;

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
