#include "host/store/approved_before.h"

#include "host/store/rows.h"

namespace davit::store {

std::optional<ApprovedBefore> read_approved_before(Reader& reader, const ShownTask& task) {
  ApprovedBefore before;
  std::int64_t row = 0;
  {
    Cursor found =
        reader
            .statement(
                "WITH near AS (SELECT ?1 AS row"
                " UNION SELECT row FROM task WHERE id = ?4"
                " UNION SELECT row FROM task WHERE root IS NOT NULL AND root = ?4"
                " UNION SELECT row FROM (SELECT row FROM task INDEXED BY task_entity WHERE entity = ?3"
                "  ORDER BY row DESC LIMIT 100))"
                " SELECT t.row, t.id, d.at, d.kind, d.by_whom, d.actor_id, d.way, d.comment, d.content_hash"
                " FROM near n CROSS JOIN task t ON t.row = n.row CROSS JOIN decision d INDEXED BY decision_task"
                "  ON d.task = t.row"
                " WHERE t.agent = ?2 AND d.kind = 'approve' AND (t.row <> ?1 OR d.content_hash <> ?5)"
                "  AND (?6 OR d.row < (SELECT max(row) FROM decision WHERE task = ?1 AND kind IN ('approve', 'reject')))"
                " ORDER BY d.row DESC LIMIT 1")
            .query(task.row, task.agent, task.entity, *to_stored_id(task.root_id), task.content_hash,
                   static_cast<std::int64_t>(task.is_waiting));
    if (!found.next()) return std::nullopt;
    row = found.integer(0);
    before.task_id = to_text(found.id(1));
    before.decision = {found.time(2), found.text(3), found.text(4), found.text(5),
                       found.text(6), found.text(7), found.text(8)};
  }
  Cursor content =
      reader
          .statement("SELECT " + kContentColumns + " FROM task t JOIN task_body b ON b.row = t.row WHERE t.row = ?1")
          .query(row);
  before.is_kept = content.next() && read_content_hash(content, 0) == before.decision.content_hash;
  return before;
}

}  // namespace davit::store
