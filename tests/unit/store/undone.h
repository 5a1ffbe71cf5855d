// How a database of an earlier davit looked: what each step of the schema made, taken away again.
#pragma once

#include <iterator>
#include <string>

namespace davit::store {

// SQL that leaves a database as step `version` left it, as far as its tables go. From step 12 on.
inline std::string undo_steps_behind(int version) {
  constexpr const char* kUndo[] = {
      "DROP TABLE day_sum; DROP INDEX delivery_webhook;",                                              // 13
      "DROP TABLE chain_pattern; DROP TABLE chain_place; DROP TABLE chain_sum; DROP TABLE execution_total;"
      "DROP INDEX task_root; CREATE INDEX task_root ON task (root) WHERE root IS NOT NULL;",            // 14
      "DROP TABLE queue_sample; DROP TABLE queue_watch; DROP TABLE task_made;",                        // 15
      "DROP TABLE task_word;",                                                                         // 16
      "DROP TABLE task_gone; DROP TABLE hour_sum;"
      "INSERT INTO task_search (task_search, rowid, title, entity, error) SELECT 'delete', row, words_apart(title),"
      " words_apart(entity), words_apart(error) FROM task WHERE row <= (SELECT reached FROM task_search_state);"
      "INSERT INTO task_search (rowid, title, entity, error) SELECT row, title, entity, error FROM task"
      " WHERE row <= (SELECT reached FROM task_search_state);",                                        // 17
  };
  constexpr int kFirst = 13, kNewest = kFirst + static_cast<int>(std::size(kUndo)) - 1;
  std::string sql;
  for (int step = kNewest; step > version; --step) sql += kUndo[step - kFirst];
  return sql + "PRAGMA user_version = " + std::to_string(version);
}

}  // namespace davit::store
