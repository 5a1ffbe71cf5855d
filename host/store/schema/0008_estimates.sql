-- The cost is what an agent estimates; it gives way to what it tells for certain, even if that is less.
ALTER TABLE execution ADD COLUMN cost_is_estimate INTEGER NOT NULL DEFAULT 0;
