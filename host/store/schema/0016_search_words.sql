-- The words there are, so that a beginning of one is asked as the words it may be: each of these the index reads lazily, newest
-- task first, while for a beginning that it has no index of (those of more than four characters) it collects all tasks of all of
-- them before it gives one.
CREATE VIRTUAL TABLE task_word USING fts5vocab(task_search, instance);
