#include "skills/clean.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <vector>

#include "davit/text.hpp"

namespace skills {
namespace {

constexpr std::size_t kLongestMarkup = 1024;  // bytes of a tag or an image's text; longer ones are left

struct Range {
  std::uint32_t first, last;
};

// Unicode 15: what is shown as nothing (Default_Ignorable_Code_Point), what changes the direction of other
// text, and fillers that are letters by name only.
constexpr std::array kHidden{Range{0x00AD, 0x00AD},   Range{0x034F, 0x034F},  Range{0x061C, 0x061C},
                             Range{0x115F, 0x1160},   Range{0x17B4, 0x17B5},  Range{0x180B, 0x180F},
                             Range{0x200B, 0x200F},   Range{0x202A, 0x202E},  Range{0x2060, 0x206F},
                             Range{0x3164, 0x3164},   Range{0xFE00, 0xFE0F},  Range{0xFEFF, 0xFEFF},
                             Range{0xFFA0, 0xFFA0},   Range{0xFFF0, 0xFFFB},  Range{0x1BCA0, 0x1BCA3},
                             Range{0x1D173, 0x1D17A}, Range{0xE0000, 0xE0FFF}};

bool is_hidden(std::uint32_t point) {
  return std::any_of(kHidden.begin(), kHidden.end(),
                     [&](Range range) { return point >= range.first && point <= range.last; });
}

// The selector that asks for a symbol in colour, and what joins two of them, are seen.
bool belongs_to_emoji(std::uint32_t point, std::uint32_t before) {
  const bool picture = before >= 0x1F000 && before <= 0x1FAFF;
  const bool symbol = picture || (before >= 0x203C && before <= 0x3299);
  if (point == 0xFE0F) return symbol && !is_hidden(before);
  return point == 0x200D && (picture || before == 0xFE0F);
}

// Of well-formed UTF-8.
std::uint32_t take_point(std::string_view text, std::size_t& at) {
  const auto byte = [&](std::size_t i) {
    return static_cast<std::uint32_t>(static_cast<unsigned char>(text[i]));
  };
  const std::uint32_t lead = byte(at);
  const std::size_t size = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  std::uint32_t point = size == 1 ? lead : lead & (0x7Fu >> size);
  for (std::size_t i = 1; i < size; ++i) point = point << 6 | (byte(at + i) & 0x3F);
  at += size;
  return point;
}

// ECMA-48: length of what a terminal would take for one command, from the escape character on.
std::size_t escape_length(std::string_view text) {
  if (text.size() < 2) return 1;
  std::size_t at = 2;
  if (text[1] == '[') {
    while (at < text.size() && text[at] >= 0x20 && text[at] <= 0x3F) ++at;
    return at < text.size() && text[at] >= 0x40 && text[at] <= 0x7E ? at + 1 : at;
  }
  if (text[1] == ']') {  // a title or a link; ends with BEL or ESC backslash
    while (at < text.size() && text[at] != '\n' && text[at] != '\a' && text[at] != '\x1B') ++at;
    if (at < text.size() && text[at] == '\a') return at + 1;
    return text.substr(at, 2) == "\x1B\\" ? at + 2 : at;
  }
  return 1;
}

// Characters one by one.
void clean_characters(std::string_view text, Form form, Cleaned& cleaned) {
  if (text.substr(0, 3) == "\xEF\xBB\xBF") text.remove_prefix(3);  // a byte order mark
  std::uint32_t before = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t begin = at;
    const std::uint32_t point = take_point(text, at);
    const std::string_view bytes = text.substr(begin, at - begin);
    if (point == '\r') {
      if (text.substr(at, 1) != "\n") cleaned.text += '\n';
    } else if (point == 0x2028 || point == 0x2029) {
      cleaned.text += '\n';
    } else if (point == 0x1B) {
      at = begin + escape_length(text.substr(begin));
      ++cleaned.controls;
    } else if ((point < 0x20 && point != '\n' && point != '\t') || (point >= 0x7F && point <= 0x9F)) {
      ++cleaned.controls;
    } else if (is_hidden(point) && !belongs_to_emoji(point, before)) {
      ++cleaned.hidden;
      if (form == Form::Verbatim) {
        char shown[16];
        std::snprintf(shown, sizeof shown, "<U+%04X>", static_cast<unsigned>(point));
        cleaned.text += shown;
      }
    } else {
      cleaned.text += bytes;
      before = point;
      continue;
    }
    before = 0;
  }
}

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// Are there only blanks, and not more than three, since its last line began?
bool ends_in_line_begin(std::string_view text) {
  std::size_t blanks = 0;
  while (blanks <= 3 && blanks < text.size() && text[text.size() - 1 - blanks] == ' ') ++blanks;
  return blanks <= 3 && (blanks == text.size() || text[text.size() - 1 - blanks] == '\n');
}

// Bytes of the comment that begins `text`; 0: it is none. "<!-->" is one. Without end it hides the rest where
// it begins a line (CommonMark 4.6) and is plain text elsewhere.
std::size_t comment_length(std::string_view text, bool at_line_begin, bool& no_more_ends) {
  if (!no_more_ends) {
    if (const std::size_t end = text.find("-->", 2); end != std::string_view::npos) return end + 3;
    no_more_ends = true;
  }
  return at_line_begin ? text.size() : 0;
}

// A tag with what is left of its attributes, or nothing where there is no tag.
struct Tag {
  std::size_t size = 0;
  std::string text;
  std::size_t removed = 0;
};

bool is_shown(std::string_view attribute) {
  std::string name(attribute.substr(0, attribute.find_first_of("= \t\n")));
  for (char& c : name) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return name == "href" || name == "src" || name == "width" || name == "height" || name == "open";
}

Tag read_tag(std::string_view text) {
  text = text.substr(0, kLongestMarkup);
  std::size_t at = 1;
  while (at < text.size() && (is_letter(text[at]) || (text[at] >= '0' && text[at] <= '9') || text[at] == '-'))
    ++at;
  if (at == text.size() || std::string_view(" \t\n/>").find(text[at]) == std::string_view::npos) return {};
  Tag tag{0, std::string(text.substr(0, at)), 0};
  std::size_t begin = std::string_view::npos;  // of the attribute at hand
  char quote = 0;
  for (; at < text.size(); ++at) {
    const char c = text[at];
    if (quote != 0) {
      if (c == quote) quote = 0;
      continue;
    }
    const bool ends =
        c == ' ' || c == '\t' || c == '\n' || c == '>' || (c == '/' && text.substr(at, 2) == "/>");
    if (ends && begin != std::string_view::npos) {
      const std::string_view attribute = text.substr(begin, at - begin);
      if (is_shown(attribute)) {
        tag.text.append(" ").append(attribute);
      } else {
        ++tag.removed;
      }
      begin = std::string_view::npos;
    }
    if (c == '>') {
      tag.text += text[at - 1] == '/' ? "/>" : ">";
      tag.size = at + 1;
      return tag;
    }
    if (c == '<') return {};
    if (!ends && begin == std::string_view::npos) begin = at;
    if (c == '"' || c == '\'') quote = c;
  }
  return {};
}

// "![text](": where the text ends, which only shows where the picture does not; 0: no image, or one without
// text.
std::size_t image_text_end(std::string_view text) {
  const std::string_view line =
      text.substr(0, std::min(text.substr(0, kLongestMarkup).find('\n'), kLongestMarkup));
  const std::size_t end = line.find("](");
  return end == std::string_view::npos || end == 2 ? 0 : end;
}

// CommonMark 4.7: "[label]: address title" is not shown itself. Only its address is kept, and nothing of one
// that leads nowhere ("[//]: # (text)"). `line` without its end.
struct Definition {
  bool is_one = false;
  std::string_view kept;
  bool removed = false;
};

Definition read_definition(std::string_view line) {
  const std::size_t begin = std::min(line.find_first_not_of(' '), line.size());
  if (begin > 3 || line.substr(begin, 1) != "[" || line.substr(begin, 2) == "[^") return {};
  const std::size_t label = line.find("]:", begin);
  if (label == std::string_view::npos || line.find(']', begin) != label) return {};
  const std::size_t address = line.find_first_not_of(" \t", label + 2);
  if (address == std::string_view::npos) return {};
  const std::size_t end = std::min(line.find_first_of(" \t", address), line.size());
  const std::string_view target = line.substr(address, end - address);
  const std::size_t title = line.find_first_not_of(" \t", end);
  const bool has_title = title != std::string_view::npos;
  if (has_title && std::string_view("\"'(").find(line[title]) == std::string_view::npos)
    return {};  // a sentence
  if (target.front() == '#' || target == "<>") return {true, {}, true};
  return {true, line.substr(0, end), has_title};
}

std::string without_comments(std::string_view text, Cleaned& cleaned) {
  std::string result;
  bool no_more_ends = false;
  for (std::size_t done = 0;;) {
    const std::size_t at = std::min(text.find("<!--", done), text.size());
    result.append(text.substr(done, at - done));
    if (at == text.size()) return result;
    const std::size_t size = comment_length(text.substr(at), ends_in_line_begin(result), no_more_ends);
    // A blank, or what stood around it could become a comment.
    result.append(size == 0 ? "<!--" : " ");
    cleaned.comments += size == 0 ? 0 : 1;
    done = at + std::max<std::size_t>(size, 4);
  }
}

std::string without_hidden_texts(std::string_view text, Cleaned& cleaned) {
  std::string result;
  for (std::size_t at = 0; at < text.size();) {
    if (at == 0 || text[at - 1] == '\n') {
      const std::string_view line = text.substr(at, std::min(text.find('\n', at), text.size()) - at);
      if (const Definition definition = read_definition(line); definition.is_one) {
        result += definition.kept;
        cleaned.attributes += definition.removed ? 1 : 0;
        at += line.size();
        continue;
      }
    }
    if (text[at] == '<' && at + 1 < text.size() && is_letter(text[at + 1])) {
      if (const Tag tag = read_tag(text.substr(at)); tag.size > 0) {
        result += tag.text;
        cleaned.attributes += tag.removed;
        at += tag.size;
        continue;
      }
    }
    if (text.substr(at, 2) == "![") {
      if (const std::size_t end = image_text_end(text.substr(at)); end > 0) {
        result += "![";
        ++cleaned.attributes;
        at += end;
        continue;
      }
    }
    result += text[at++];
  }
  return result;
}

std::string counted(std::size_t count, const char* one, const char* many) {
  return std::to_string(count) + " " + (count == 1 ? one : many);
}

}  // namespace

Cleaned clean(std::string_view text, Form form) {
  Cleaned cleaned;
  clean_characters(davit::is_utf8(text) ? std::string(text) : davit::to_utf8(text), form, cleaned);
  // After the characters: a hidden one could stand inside "<!--".
  if (form == Form::Prose) {
    const std::string uncommented = without_comments(cleaned.text, cleaned);
    cleaned.text = without_hidden_texts(uncommented, cleaned);
  }
  return cleaned;
}

std::string what_was_cleaned(const Cleaned& cleaned, Form form) {
  std::vector<std::string> removed;
  std::string shown;
  if (cleaned.hidden > 0) {
    const std::string hidden = counted(cleaned.hidden, "hidden character", "hidden characters");
    if (form == Form::Prose) {
      removed.push_back(hidden);
    } else {
      shown = hidden + (cleaned.hidden == 1 ? " is" : " are") + " shown as <U+...>";
    }
  }
  if (cleaned.controls > 0)
    removed.push_back(counted(cleaned.controls, "control sequence", "control sequences"));
  if (cleaned.comments > 0) removed.push_back(counted(cleaned.comments, "HTML comment", "HTML comments"));
  if (cleaned.attributes > 0)
    removed.push_back(counted(cleaned.attributes, "text that is not shown", "texts that are not shown"));
  std::string sentence;
  for (std::size_t i = 0; i < removed.size(); ++i)
    sentence += (i == 0 ? "" : i + 1 == removed.size() ? " and " : ", ") + removed[i];
  if (!removed.empty()) {
    const bool one = cleaned.controls + cleaned.comments + cleaned.attributes +
                         (form == Form::Prose ? cleaned.hidden : 0) ==
                     1;
    sentence += one ? " was removed" : " were removed";
  }
  return sentence + (sentence.empty() || shown.empty() ? "" : "; ") + shown;
}

}  // namespace skills
