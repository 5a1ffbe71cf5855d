#include "host/cli/table.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace davit::cli {
namespace {

// Characters that take a column: all bytes but UTF-8's continuations. Wide characters count one, which is
// good enough.
std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

std::string cut(const std::string& text, std::size_t width) {
  if (width_of(text) <= width) return text;
  if (width == 0) return "";
  std::size_t end = 0;
  for (std::size_t seen = 0; end < text.size(); ++end) {
    const bool begins = (static_cast<unsigned char>(text[end]) & 0xC0) != 0x80;
    if (begins && seen++ == width - 1) break;
  }
  return text.substr(0, end) + "…";
}

// Length of the well-formed UTF-8 sequence at the front, or 0.
std::size_t sequence_length(std::string_view text) {
  for (std::size_t length = 1; length <= std::min<std::size_t>(4, text.size()); ++length)
    if (is_utf8(text.substr(0, length))) return length;
  return 0;
}

std::uint32_t code_point(std::string_view sequence) {
  const auto byte = [&](std::size_t i) {
    return static_cast<std::uint32_t>(static_cast<unsigned char>(sequence[i]));
  };
  switch (sequence.size()) {
    case 1:
      return byte(0);
    case 2:
      return (byte(0) & 0x1F) << 6 | (byte(1) & 0x3F);
    case 3:
      return (byte(0) & 0x0F) << 12 | (byte(1) & 0x3F) << 6 | (byte(2) & 0x3F);
    default:
      return (byte(0) & 0x07) << 18 | (byte(1) & 0x3F) << 12 | (byte(2) & 0x3F) << 6 | (byte(3) & 0x3F);
  }
}

// What moves the cursor, hides text or turns its direction.
bool is_treacherous(std::uint32_t point) {
  return point < 0x20 || (point >= 0x7F && point < 0xA0) || (point >= 0x200B && point <= 0x200F) ||
         (point >= 0x2028 && point <= 0x202E) || (point >= 0x2060 && point <= 0x2069) || point == 0xFEFF ||
         (point >= 0xE0000 && point <= 0xE007F);
}

std::string formatted(const char* format, double number) {
  char text[64];
  std::snprintf(text, sizeof text, format, number);
  return text;
}

}  // namespace

std::string printable(std::string_view text, Lines lines) {
  std::string safe;
  char escape[16];
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = sequence_length(text.substr(i));
    if (length == 0) {
      std::snprintf(escape, sizeof escape, "\\x%02x",
                    static_cast<unsigned>(static_cast<unsigned char>(text[i])));
      safe += escape;
      ++i;
      continue;
    }
    const std::string_view sequence = text.substr(i, length);
    const std::uint32_t point = code_point(sequence);
    i += length;
    if (lines == Lines::Keep && (point == '\n' || point == '\t'))
      safe += sequence;
    else if (point == '\n')
      safe += "\\n";
    else if (point == '\t')
      safe += "\\t";
    else if (point == '\r')
      safe += "\\r";
    else if (is_treacherous(point)) {
      std::snprintf(escape, sizeof escape, point < 0x100 ? "\\x%02x" : "\\u%04x", point);
      safe += escape;
    } else {
      safe += sequence;
    }
  }
  return safe;
}

void Table::add(std::vector<std::string> cells) {
  cells.resize(columns_.size());
  for (std::string& text : cells) text = text.empty() ? "-" : printable(text);
  rows_.push_back(std::move(cells));
}

void Table::print(std::ostream& out, int width) const {
  constexpr std::size_t kGap = 2;
  constexpr std::size_t kLeastShrunk = 12;
  std::vector<std::size_t> widths;
  std::size_t total = kGap * (columns_.size() - 1);
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    widths.push_back(width_of(columns_[i].title));
    for (const auto& row : rows_) widths[i] = std::max(widths[i], width_of(row[i]));
    total += widths[i];
  }
  // The widest column that may shrink gives way first.
  const auto wanted = static_cast<std::size_t>(std::max(width, 1));
  while (total > wanted) {
    std::size_t widest = columns_.size();
    for (std::size_t i = 0; i < columns_.size(); ++i)
      if (columns_[i].shrinks && widths[i] > kLeastShrunk &&
          (widest == columns_.size() || widths[i] > widths[widest]))
        widest = i;
    if (widest == columns_.size()) break;
    --widths[widest];
    --total;
  }
  const auto print_line = [&](const auto& cell_at) {
    std::string line;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      const std::string text = cut(cell_at(i), widths[i]);
      const std::string padding(widths[i] - std::min(widths[i], width_of(text)), ' ');
      if (i > 0) line += std::string(kGap, ' ');
      line += columns_[i].align == Align::Right ? padding + text : text + padding;
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out << line << '\n';
  };
  print_line([&](std::size_t i) { return columns_[i].title; });
  for (const auto& row : rows_) print_line([&](std::size_t i) { return row[i]; });
}

std::string age(std::string_view iso8601, WallTime now) {
  const auto time = parse_iso8601(iso8601);
  if (!time.ok()) return "-";
  const long long seconds = std::max<long long>((now - *time).count() / 1000, 0);
  if (seconds < 60) return std::to_string(seconds) + "s";
  if (seconds < 3600) return std::to_string(seconds / 60) + "m";
  if (seconds < 48 * 3600) return std::to_string(seconds / 3600) + "h";
  return std::to_string(seconds / 86400) + "d";
}

std::string seconds_text(const JsonValue* seconds) {
  if (seconds == nullptr || !seconds->IsNumber()) return "-";
  const double value = seconds->GetDouble();
  if (value < 60) return formatted(value < 10 ? "%.2fs" : "%.1fs", value);
  const auto whole = static_cast<long long>(value);
  const long long minutes = whole / 60;
  char text[64];
  if (minutes < 60)
    std::snprintf(text, sizeof text, "%lldm %02llds", minutes, whole % 60);
  else
    std::snprintf(text, sizeof text, "%lldh %02lldm", minutes / 60, minutes % 60);
  return text;
}

std::string dollars_text(const JsonValue& object, std::string_view name) {
  const double value = number_member(object, name);
  return value == 0 ? "-" : formatted(value < 1 ? "$%.4f" : "$%.2f", value);
}

std::string count_text(std::int64_t number) {
  std::string digits = std::to_string(number);
  const std::size_t first = digits.starts_with('-') ? 1 : 0;
  for (std::size_t at = digits.size(); at > first + 3;) digits.insert(at -= 3, ",");
  return digits;
}

std::string cell(const JsonValue& object, std::string_view name) {
  const JsonValue* value = find_member(object, name);
  if (value == nullptr || value->IsNull()) return "-";
  if (value->IsString())
    return value->GetStringLength() == 0 ? "-" : printable({value->GetString(), value->GetStringLength()});
  return printable(to_json(*value));
}

std::string link_text(const JsonValue& link) {
  std::string text;
  for (const char* name : {"rel", "key", "url"}) {
    if (const std::string value = cell(link, name); !value.empty() && value != "-")
      text += (text.empty() ? "" : " ") + value;
  }
  return text;
}

// Depth is bounded by the limits of the reader.
std::string indented(const JsonValue& value, int indent) {
  const std::string inner(static_cast<std::size_t>(indent) + 2, ' ');
  const std::string outer(static_cast<std::size_t>(indent), ' ');
  std::string text;
  if (value.IsObject() && value.MemberCount() > 0) {
    for (const auto& member : value.GetObject()) {
      text += (text.empty() ? "{\n" : ",\n") + inner + printable(to_json(member.name)) + ": " +
              indented(member.value, indent + 2);
    }
    return text + "\n" + outer + "}";
  }
  if (value.IsArray() && !value.Empty()) {
    for (const JsonValue& item : value.GetArray())
      text += (text.empty() ? "[\n" : ",\n") + inner + indented(item, indent + 2);
    return text + "\n" + outer + "]";
  }
  return printable(to_json(value));
}

}  // namespace davit::cli
