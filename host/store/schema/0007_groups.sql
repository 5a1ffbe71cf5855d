-- What the entity of a task belongs to (its repository, project, channel): the line that tasks stand in where an agent works
-- on one of a group at a time. Null: nothing, or not known.
ALTER TABLE task_body ADD COLUMN entity_group TEXT;

-- When a delivery came first that failed and came again in its row since, so that row and time ascend together for who walks
-- them. Null: received_at.
ALTER TABLE delivery ADD COLUMN first_at INTEGER;
