#include "host/store/transcript_pack.h"

#include "host/base/deflate.h"
#include "host/base/json.h"

namespace davit::store {

TranscriptPack pack_lines(std::int64_t first_line, const std::vector<TranscriptLine>& lines) {
  std::string text;
  for (const TranscriptLine& line : lines) {
    text += '[' + std::to_string(to_unix_ms(line.at)) + ',' + json_quote(line.kind) + ',' +
            json_quote(line.text) + "]\n";
  }
  return {first_line, static_cast<std::int64_t>(lines.size()), static_cast<std::int64_t>(text.size()),
          deflate(text)};
}

Result<std::vector<TranscriptLine>> unpack_lines(std::int64_t first_line, std::int64_t lines,
                                                 std::int64_t bytes, std::string_view packed) {
  if (bytes < 0 || bytes > kMaxPackBytes)
    return Error{ErrorCode::InvalidInput, "their size is not that of a pack"};
  const std::string text = TRY(inflate(packed, static_cast<std::size_t>(bytes)));
  const Error malformed{ErrorCode::InvalidInput, "packed bytes hold something else than lines"};
  if (static_cast<std::int64_t>(text.size()) != bytes) return malformed;
  std::vector<TranscriptLine> unpacked;
  for (std::string_view rest = text; !rest.empty();) {
    const std::size_t end = rest.find('\n');
    if (end == std::string_view::npos) return malformed;
    const JsonDocument line = TRY(parse_json(rest.substr(0, end)));
    if (!line.IsArray() || line.Size() != 3 || !line[0].IsInt64() || !line[1].IsString() ||
        !line[2].IsString()) {
      return malformed;
    }
    unpacked.push_back({{line[1].GetString(), line[1].GetStringLength()},
                        {line[2].GetString(), line[2].GetStringLength()},
                        from_unix_ms(line[0].GetInt64()),
                        first_line + static_cast<std::int64_t>(unpacked.size())});
    rest.remove_prefix(end + 1);
  }
  if (static_cast<std::int64_t>(unpacked.size()) != lines) return malformed;
  return unpacked;
}

}  // namespace davit::store
