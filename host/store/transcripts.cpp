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

// What is stored of an execution.
struct Stored {
  std::int64_t execution = 0;
  std::vector<Piece> pieces;  // oldest first
  std::int64_t singles = 0;   // lines behind them
  std::int64_t first_single() const { return pieces.empty() ? 1 : pieces.back().end(); }
};

Result<Stored> find_stored(Reader& reader, std::string_view session_id) {
  const Error missing{ErrorCode::NotFound, "session " + std::string(session_id) + " does not exist"};
  const std::optional<StoredId> id = to_stored_id(session_id);
  if (!id) return missing;
  Stored stored;
  {
    Cursor row = reader.statement("SELECT row FROM execution WHERE session = ?1").query(*id);
    if (!row.next()) return missing;
    stored.execution = row.integer(0);
  }
  {
    Cursor row = reader
                     .statement(
                         "SELECT row, first_line, lines, bytes FROM transcript_pack WHERE execution = ?1"
                         " ORDER BY first_line")
                     .query(stored.execution);
    while (row.next())
      stored.pieces.push_back({row.integer(0), row.integer(1), row.integer(2), row.integer(3)});
  }
  Cursor row =
      reader.statement("SELECT count(*) FROM transcript WHERE execution = ?1").query(stored.execution);
  if (row.next()) stored.singles = row.integer(0);
  return stored;
}

// Up to `most` of the lines behind the packs, from that one of them on.
std::vector<TranscriptLine> singles_from(Reader& reader, const Stored& stored, std::int64_t skip,
                                         std::int64_t most) {
  std::vector<TranscriptLine> lines;
  Cursor row = reader
                   .statement(
                       "SELECT at, kind, line FROM transcript WHERE execution = ?1 ORDER BY row"
                       " LIMIT ?2 OFFSET ?3")
                   .query(stored.execution, most, skip);
  for (std::int64_t number = stored.first_single() + skip; row.next(); ++number)
    lines.push_back({row.text(1), row.text(2), row.time(0), number});
  return lines;
}

// Of a piece, with the line that stands for what is missing before it.
std::vector<TranscriptLine> lines_with_gap(Reader& reader, const Stored& stored, std::size_t piece) {
  std::vector<TranscriptLine> lines;
  const std::int64_t from = piece == 0 ? 1 : stored.pieces[piece - 1].end();
  if (from < stored.pieces[piece].first) lines.push_back(left_out(from, stored.pieces[piece].first));
  for (TranscriptLine& line : lines_of(reader, stored.pieces[piece])) lines.push_back(std::move(line));
  return lines;
}

std::vector<TranscriptLine> next_lines(Reader& reader, const Stored& stored, std::size_t most, std::int64_t after) {
  std::vector<TranscriptLine> lines;
  const auto add = [&](std::vector<TranscriptLine> more) {
    for (TranscriptLine& line : more)
      if (line.number > after && lines.size() < most) lines.push_back(std::move(line));
  };
  for (std::size_t i = 0; i < stored.pieces.size() && lines.size() < most; ++i)
    if (stored.pieces[i].end() > after + 1) add(lines_with_gap(reader, stored, i));
  if (lines.size() < most)
    add(singles_from(reader, stored, std::max<std::int64_t>(after + 1 - stored.first_single(), 0),
                     static_cast<std::int64_t>(most)));
  return lines;
}

std::vector<TranscriptLine> newest_lines(Reader& reader, const Stored& stored, std::size_t most,
                                         std::int64_t before) {
  std::vector<TranscriptLine> lines;  // newest first
  const auto add = [&](std::vector<TranscriptLine> more) {
    for (auto line = more.rbegin(); line != more.rend() && lines.size() < most; ++line)
      if (line->number < before) lines.push_back(std::move(*line));
  };
  const std::int64_t singles = std::clamp<std::int64_t>(before - stored.first_single(), 0, stored.singles);
  const std::int64_t wanted = std::min(singles, static_cast<std::int64_t>(most));
  if (wanted > 0) add(singles_from(reader, stored, singles - wanted, wanted));
  // One that begins where it ends may have a gap before it.
  for (std::size_t i = stored.pieces.size(); i > 0 && lines.size() < most; --i)
    if (stored.pieces[i - 1].first <= before) add(lines_with_gap(reader, stored, i - 1));
  std::reverse(lines.begin(), lines.end());
  return lines;
}

}  // namespace

Result<std::vector<TranscriptLine>> read_transcript(Reader& reader, std::string_view session_id, int limit,
                                                    TranscriptPlace place) {
  const Stored stored = TRY(find_stored(reader, session_id));
  const std::size_t most = static_cast<std::size_t>(limit);
  return place.after ? next_lines(reader, stored, most, *place.after)
                     : newest_lines(reader, stored, most,
                                    place.before.value_or(std::numeric_limits<std::int64_t>::max()));
}

}  // namespace davit::store
