-- Of an approval: the wait that it ended, as `approval` had it, which goes on if it turns out not to count. Null: of
-- another decision, or one from before.
ALTER TABLE decision ADD COLUMN asked_at INTEGER;
ALTER TABLE decision ADD COLUMN deadline INTEGER;
ALTER TABLE decision ADD COLUMN reminders INTEGER;
ALTER TABLE decision ADD COLUMN next_at INTEGER;
