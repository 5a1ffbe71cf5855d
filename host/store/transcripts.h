// Transcripts: rows of single lines while an execution says them, packs of many once there are enough.
//
// Lines are numbered from 1 in the order in which they were said. What was packed keeps its numbers, and
// single lines follow the newest pack; the middle of a long transcript may be gone. An execution that ended
// by itself has packs only. One that was lost keeps its last single lines as they are.
#pragma once

#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "host/store/readers.h"
#include "host/store/store.h"

namespace davit::store {

// Confined to the writer thread, inside its transaction.
class Transcripts {
 public:
  explicit Transcripts(Database& database);
  ~Transcripts();
  // Adds to an execution that runs; of another one nothing is kept. Packs take the place of all single lines
  // before `lines`.
  void add(Fence fence, const TranscriptNews& news);

 private:
  struct Statements;
  std::unique_ptr<Statements> sql_;
};

// As Store::transcript. NotFound: no such execution.
Result<std::vector<TranscriptLine>> read_transcript(Reader& reader, std::string_view session_id, int limit,
                                                    TranscriptPlace place);

}  // namespace davit::store
