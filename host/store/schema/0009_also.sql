-- Beside its entity: what else a task is about, as agents of its chain have said; what people say there is meant for it, too.
CREATE TABLE task_also (
  key TEXT NOT NULL,
  task INTEGER NOT NULL REFERENCES task (row),
  PRIMARY KEY (key, task)
) STRICT, WITHOUT ROWID;
CREATE INDEX task_also_task ON task_also (task);
