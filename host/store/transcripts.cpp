#include "host/store/transcripts.h"

#include <algorithm>
#include <limits>

#include "host/store/rows.h"
#include "host/store/statement.h"

namespace davit::store {

struct Transcripts::Statements {
  explicit Statements(Database& database) : db(database) {}
  Database& db;
  Statement open{db, "SELECT 1 FROM execution WHERE row = ?1 AND task = ?2 AND ended_at IS NULL"};
  Statement insert_line{
      db,
      "INSERT INTO transcript (execution, at, kind, line)"
      " SELECT row, ?3, ?4, ?5 FROM execution WHERE row = ?1 AND task = ?2 AND ended_at IS NULL"};
  Statement drop_lines{db, "DELETE FROM transcript WHERE execution = ?1"};
  // A pack of which nobody knows whether it was stored comes again.
  Statement insert_pack{db,
                        "INSERT INTO transcript_pack (execution, first_line, lines, bytes, packed)"
                        " SELECT ?1, ?2, ?3, ?4, ?5 WHERE NOT EXISTS (SELECT 1 FROM transcript_pack"
                        " WHERE execution = ?1 AND first_line = ?2)"};
  Statement drop_packs{
      db, "DELETE FROM transcript_pack WHERE execution = ?1 AND first_line >= ?2 AND first_line < ?3"};
};

Transcripts::Transcripts(Database& database) : sql_(std::make_unique<Statements>(database)) {}
Transcripts::~Transcripts() = default;

void Transcripts::add(Fence fence, const TranscriptNews& news) {
  const std::int64_t execution = fence.number;
  if (!news.packs.empty() || news.left_out_from < news.left_out_to) {
    if (!sql_->open.query(execution, fence.task_row).next()) return;
    if (!news.packs.empty()) sql_->drop_lines.run(execution);
    for (const TranscriptPack& pack : news.packs)
      sql_->insert_pack.run(execution, pack.first_line, pack.lines, pack.bytes, Blob{pack.packed});
    if (news.left_out_from < news.left_out_to)
      sql_->drop_packs.run(execution, news.left_out_from, news.left_out_to);
  }
  for (const TranscriptLine& line : news.lines)
    sql_->insert_line.run(execution, fence.task_row, line.at, line.kind, line.text);
}

namespace {

struct Piece {
  std::int64_t row, first, lines, bytes;
  std::int64_t end() const { return first + lines; }
};

std::string counted(std::int64_t lines) {
  return std::to_string(lines) + (lines == 1 ? " line is" : " lines are");
}

// A line of ours that stands for others; it has the number of the last of them.
TranscriptLine stand_in(std::int64_t last, std::string text) {
  return {"davit", std::move(text), WallTime{}, last};
}

std::vector<TranscriptLine> lines_of(Reader& reader, const Piece& piece) {
  Cursor row = reader.statement("SELECT packed FROM transcript_pack WHERE row = ?1").query(piece.row);
  Result<std::vector<TranscriptLine>> lines =
      row.next() ? unpack_lines(piece.first, piece.lines, piece.bytes, row.view(0))
                 : Error{ErrorCode::NotFound, "their row is gone"};
  if (lines.ok()) return std::move(lines).value();
  std::vector<TranscriptLine> instead;
  instead.push_back(
      stand_in(piece.end() - 1, counted(piece.lines) + " not readable: " + lines.error().message));
  return instead;
}

TranscriptLine left_out(std::int64_t from, std::int64_t to) {
  return stand_in(to - 1, counted(to - from) + " left out here (transcripts.max_size)");
}

}  // namespace

Result<std::vector<TranscriptLine>> read_transcript(Reader& reader, std::string_view session_id, int limit,
                                                    std::optional<std::int64_t> after) {
  const Error missing{ErrorCode::NotFound, "session " + std::string(session_id) + " does not exist"};
  const std::optional<StoredId> id = to_stored_id(session_id);
  if (!id) return missing;
  std::int64_t execution = 0;
  {
    Cursor row = reader.statement("SELECT row FROM execution WHERE session = ?1").query(*id);
    if (!row.next()) return missing;
    execution = row.integer(0);
  }
  std::vector<Piece> pieces;
  {
    Cursor row = reader
                     .statement(
                         "SELECT row, first_line, lines, bytes FROM transcript_pack WHERE execution = ?1"
                         " ORDER BY first_line")
                     .query(execution);
    while (row.next()) pieces.push_back({row.integer(0), row.integer(1), row.integer(2), row.integer(3)});
  }
  const std::int64_t first_single = pieces.empty() ? 1 : pieces.back().end();
  std::int64_t singles = 0;
  {
    Cursor row = reader.statement("SELECT count(*) FROM transcript WHERE execution = ?1").query(execution);
    if (row.next()) singles = row.integer(0);
  }

  std::vector<TranscriptLine> lines;
  const std::size_t most = static_cast<std::size_t>(limit);
  // From which piece on: without `after` from the one with which there are enough up to the end.
  std::size_t begin = 0;
  if (after) {
    while (begin < pieces.size() && pieces[begin].end() <= *after + 1) ++begin;
  } else {
    std::int64_t enough = singles;
    for (begin = pieces.size(); begin > 0 && enough < limit; --begin) enough += pieces[begin - 1].lines;
  }
  const auto add = [&](TranscriptLine line) {
    if (!after || line.number > *after) lines.push_back(std::move(line));
  };
  for (std::size_t i = begin; i < pieces.size() && (!after || lines.size() < most); ++i) {
    if (const std::int64_t from = i == 0 ? 1 : pieces[i - 1].end(); from < pieces[i].first)
      add(left_out(from, pieces[i].first));
    for (TranscriptLine& line : lines_of(reader, pieces[i])) add(std::move(line));
  }
  const std::int64_t skip = after ? std::max<std::int64_t>(*after + 1 - first_single, 0)
                                  : std::max<std::int64_t>(singles - limit, 0);
  if (lines.size() < most || !after) {
    Cursor row = reader
                     .statement(
                         "SELECT at, kind, line FROM transcript WHERE execution = ?1 ORDER BY row"
                         " LIMIT ?2 OFFSET ?3")
                     .query(execution, limit, skip);
    for (std::int64_t number = first_single + skip; row.next(); ++number)
      lines.push_back({row.text(1), row.text(2), row.time(0), number});
  }
  if (lines.size() > most) {
    const auto surplus = static_cast<std::ptrdiff_t>(lines.size() - most);
    after ? lines.erase(lines.end() - surplus, lines.end())
          : lines.erase(lines.begin(), lines.begin() + surplus);
  }
  return lines;
}

}  // namespace davit::store
