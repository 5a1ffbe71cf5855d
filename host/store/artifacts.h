// Files that executions leave behind.
#pragma once

#include <string_view>
#include <vector>

#include "host/store/batch.h"
#include "host/store/readers.h"
#include "host/store/store.h"

namespace davit::store {

// An artifact as it lies in its row. Made by whoever has it, so that the writer only stores bytes.
struct PackedArtifact {
  std::string name, content_type;
  std::int64_t bytes = 0;  // before it was packed
  std::string sha256;      // of the content, in hex
  bool deflated = false;   // otherwise `content` is what it was
  std::string content;
};
PackedArtifact pack_artifact(Artifact artifact);
// InvalidInput or TooLarge with a phrase if the bytes are not what they are said to be.
Result<std::string> unpack_artifact(const PackedArtifact& packed);

// Writer thread, inside its transaction. Conflict if the execution does not run any more.
Result<> keep_artifact(Database& database, Batch& batch, Fence fence, const PackedArtifact& artifact);

// By execution, oldest first, then by name. NotFound: no such task.
Result<std::vector<ArtifactEntry>> read_artifacts(Reader& reader, std::string_view task_id);
Result<Artifact> read_artifact(Reader& reader, std::string_view task_id, std::string_view session_id,
                               std::string_view name);

}  // namespace davit::store
