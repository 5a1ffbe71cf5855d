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
