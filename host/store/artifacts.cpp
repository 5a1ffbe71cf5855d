#include "host/store/artifacts.h"

#include "host/base/crypto.h"
#include "host/base/deflate.h"
#include "host/store/rows.h"
#include "host/store/statement.h"

namespace davit::store {
namespace {

constexpr std::int64_t kMostBytes = 64 << 20;  // of what one row may unpack to

}  // namespace

PackedArtifact pack_artifact(Artifact artifact) {
  PackedArtifact packed{std::move(artifact.name), std::move(artifact.content_type),
                        static_cast<std::int64_t>(artifact.content.size()), sha256_hex(artifact.content)};
  packed.content = deflate(artifact.content);
  packed.deflated = packed.content.size() < artifact.content.size();
  if (!packed.deflated) packed.content = std::move(artifact.content);
  return packed;
}

Result<std::string> unpack_artifact(const PackedArtifact& packed) {
  const Error changed{ErrorCode::InvalidInput, "its bytes are not those that were stored"};
  if (packed.bytes < 0 || packed.bytes > kMostBytes) return changed;
  std::string content = packed.content;
  if (packed.deflated) content = TRY(inflate(packed.content, static_cast<std::size_t>(packed.bytes)));
  if (static_cast<std::int64_t>(content.size()) != packed.bytes || sha256_hex(content) != packed.sha256)
    return changed;
  return content;
}

Result<> keep_artifact(Database& database, Batch& batch, Fence fence, const PackedArtifact& artifact) {
  {
    Statement open(database,
                   "SELECT t.id, e.session FROM execution e JOIN task t ON t.row = e.task"
                   " WHERE e.row = ?1 AND e.task = ?2 AND e.ended_at IS NULL");
    Cursor whose = open.query(fence.number, fence.task_row);
    if (!whose.next())
      return Error{ErrorCode::Conflict, "this attempt does not run any more; its artifact is dropped"};
    batch.changes.push_back({Change::Kind::ExecutionChanged, to_text(whose.id(0)), {}, std::nullopt,
                             std::nullopt, to_text(whose.id(1))});
  }
  Statement(database,
            "INSERT INTO artifact (execution, name, content_type, bytes, sha256, deflated, content)"
            " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (execution, name) DO UPDATE SET"
            " content_type = excluded.content_type, bytes = excluded.bytes, sha256 = excluded.sha256,"
            " deflated = excluded.deflated, content = excluded.content")
      .run(fence.number, artifact.name, artifact.content_type, artifact.bytes, artifact.sha256,
           artifact.deflated ? 1 : 0, Blob{artifact.content});
  return {};
}

Result<std::vector<ArtifactEntry>> read_artifacts(Reader& reader, std::string_view task_id) {
  const Error missing{ErrorCode::NotFound, "task " + std::string(task_id) + " does not exist"};
  const std::optional<StoredId> id = to_stored_id(task_id);
  if (!id) return missing;
  std::int64_t task = 0;
  {
    Cursor row = reader.statement("SELECT row FROM task WHERE id = ?1").query(*id);
    if (!row.next()) return missing;
    task = row.integer(0);
  }
  std::vector<ArtifactEntry> entries;
  Cursor row = reader
                   .statement(
                       "SELECT e.session, e.agent, e.attempt, a.name, a.content_type, a.bytes, a.sha256"
                       " FROM execution e JOIN artifact a ON a.execution = e.row WHERE e.task = ?1"
                       " ORDER BY e.row, a.name")
                   .query(task);
  while (row.next()) {
    entries.push_back({to_text(row.id(0)), row.text(1), static_cast<int>(row.integer(2)), row.text(3),
                       row.text(4), row.integer(5), row.text(6)});
  }
  return entries;
}

Result<Artifact> read_artifact(Reader& reader, std::string_view task_id, std::string_view session_id,
                               std::string_view name) {
  const Error missing{ErrorCode::NotFound, "there is no such artifact of this task"};
  const std::optional<StoredId> task = to_stored_id(task_id), session = to_stored_id(session_id);
  if (!task || !session) return missing;
  Cursor row =
      reader
          .statement(
              "SELECT a.name, a.content_type, a.bytes, a.sha256, a.deflated, a.content"
              " FROM execution e JOIN task t ON t.row = e.task JOIN artifact a ON a.execution = e.row"
              " WHERE e.session = ?1 AND t.id = ?2 AND a.name = ?3")
          .query(*session, *task, name);
  if (!row.next()) return missing;
  const PackedArtifact packed{row.text(0), row.text(1),         row.integer(2),
                              row.text(3), row.integer(4) != 0, row.text(5)};
  Result<std::string> content = unpack_artifact(packed);
  if (!content.ok()) {
    return Error{ErrorCode::Internal, "artifact " + packed.name + " of session " + std::string(session_id) +
                                          " is damaged: " + content.error().message +
                                          "; davit verify-store says what else is"};
  }
  return Artifact{packed.name, packed.content_type, std::move(content).value()};
}

}  // namespace davit::store
