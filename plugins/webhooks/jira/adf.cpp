// A node is either a block, which ends in a line break, or inline. Blocks within lists and quotes are written
// apart and then put behind their mark, line by line.
#include "adf.h"

#include <algorithm>
#include <chrono>
#include <string_view>
#include <utility>

#include "../reading/excerpt.h"

namespace jira {
namespace {

using davit::JsonView;

class AdfWriter {
 public:
  explicit AdfWriter(std::size_t limit) : limit_(limit) {}

  bool cut() const { return cut_; }

  // The blocks among `content`, each on lines of its own, `between` between two of them.
  std::string blocks(JsonView content, int depth, std::string_view between) {
    std::string text, line;
    const auto add = [&](const std::string& block) {
      if (block.empty()) return;
      if (!text.empty()) text += between;
      text += block;
    };
    if (depth > kMaxAdfDepth) {
      cut_ = cut_ || !content.empty();
      return text;
    }
    for (JsonView node : content) {
      if (full()) break;
      if (is_inline(node)) {
        line += inline_text(node, depth);
        continue;
      }
      add(line);
      line.clear();
      add(block(node, depth));
    }
    add(line);
    return text;
  }

 private:
  // Asked before each node; the one that finds no room any more is left out.
  bool full() {
    if (written_ < limit_) return false;
    return cut_ = true;
  }

  // All text goes through here, so that nesting cannot make more of it than there is room for.
  std::string taken(std::string_view text) {
    const std::string_view kept = reading::cut(text, limit_ - std::min(written_, limit_));
    cut_ = cut_ || kept.size() != text.size();
    written_ += kept.size() + 1;
    return std::string(kept);
  }

  static bool is_inline(JsonView node) {
    for (const char* type : {"text", "hardBreak", "mention", "emoji", "inlineCard", "date", "status",
                             "inlineExtension", "mediaInline"}) {
      if (node["type"] == type) return true;
    }
    return false;
  }

  std::string block(JsonView node, int depth) {
    const std::string_view type = node["type"].string_or("");
    const JsonView content = node["content"], attributes = node["attrs"];
    ++depth;
    if (type == "heading") {
      const auto level = std::clamp<std::int64_t>(attributes["level"].int_or(1), 1, 6);
      const std::string mark = std::string(static_cast<std::size_t>(level), '#') + " ";
      return behind_mark(mark, blocks(content, depth, " "));
    }
    if (type == "bulletList") return list(content, depth, [](std::int64_t) { return std::string("- "); });
    if (type == "orderedList") {
      const std::int64_t first = std::clamp<std::int64_t>(attributes["order"].int_or(1), 0, 1'000'000);
      return list(content, depth, [&](std::int64_t n) { return std::to_string(first + n) + ". "; });
    }
    if (type == "taskList" || type == "decisionList") return blocks(content, depth, "\n");
    if (type == "taskItem")
      return behind_mark(attributes["state"] == "DONE" ? "[x] " : "[ ] ", blocks(content, depth, "\n"));
    if (type == "decisionItem") return behind_mark("<> ", blocks(content, depth, "\n"));
    if (type == "blockquote") return quoted(blocks(content, depth, "\n\n"));
    if (type == "codeBlock") {
      return "```" + taken(attributes["language"].string_or("")) + "\n" + blocks(content, depth, "\n") +
             "\n```";
    }
    if (type == "rule") return taken("---");
    if (type == "table") return blocks(content, depth, "\n");
    if (type == "tableRow") return row(content, depth);
    if (type == "expand" || type == "nestedExpand") {
      const std::string title = taken(attributes["title"].string_or(""));
      const std::string inside = blocks(content, depth, "\n\n");
      return title.empty() ? inside : inside.empty() ? title : title + "\n" + inside;
    }
    if (type == "media") return taken(attributes["alt"].string_or(""));
    if (type == "blockCard" || type == "embedCard") return taken(attributes["url"].string_or(""));
    if (type == "listItem" || type == "tableCell" || type == "tableHeader")
      return blocks(content, depth, "\n");
    return blocks(content, depth, type == "doc" ? "\n\n" : "\n");
  }

  std::string inline_text(JsonView node, int depth) {
    const std::string_view type = node["type"].string_or("");
    const JsonView attributes = node["attrs"];
    if (type == "text") return marked(node);
    if (type == "hardBreak") return taken("\n");
    if (type == "mention") {
      const std::string_view name = attributes["text"].string_or(attributes["id"].string_or(""));
      return (name.starts_with('@') ? "" : "@") + taken(name);
    }
    if (type == "emoji") return taken(attributes["text"].string_or(attributes["shortName"].string_or("")));
    if (type == "inlineCard") return taken(attributes["url"].string_or(""));
    if (type == "status") return "[" + taken(attributes["text"].string_or("")) + "]";
    if (type == "date") return date(attributes["timestamp"]);
    return blocks(node["content"], depth + 1, " ");
  }

  // A text node with its marks: code and links are kept, the rest is decoration.
  std::string marked(JsonView node) {
    std::string text = taken(node["text"].string_or(""));
    for (JsonView mark : node["marks"]) {
      if (mark["type"] == "code") text = "`" + text + "`";
      if (mark["type"] != "link") continue;
      const std::string_view address = mark["attrs"]["href"].string_or("");
      if (!address.empty() && address != text) text = "[" + text + "](" + taken(address) + ")";
      break;
    }
    return text;
  }

  // Milliseconds since 1970 as text, by the specification; a number does as well.
  static std::string date(JsonView timestamp) {
    std::int64_t milliseconds = timestamp.int_or(-1);
    if (timestamp.is_string()) {
      const std::string_view digits = timestamp.string_or("");
      milliseconds = digits.empty() || digits.size() > 14 ? -1 : 0;
      for (const char c : digits) {
        if (milliseconds < 0 || c < '0' || c > '9') return "";
        milliseconds = milliseconds * 10 + (c - '0');
      }
    }
    constexpr std::int64_t kLast = 253'402'300'799'999;  // in the year 9999
    if (milliseconds < 0 || milliseconds > kLast) return "";
    const std::chrono::year_month_day day(
        std::chrono::floor<std::chrono::days>(davit::time_from_unix_ms(milliseconds)));
    const auto two = [](unsigned number) { return (number < 10 ? "-0" : "-") + std::to_string(number); };
    const std::string year = std::to_string(static_cast<int>(day.year()));
    return year + two(static_cast<unsigned>(day.month())) + two(static_cast<unsigned>(day.day()));
  }

  template <class Mark>
  std::string list(JsonView content, int depth, Mark mark) {
    std::string text;
    std::int64_t number = 0;
    for (JsonView item : content) {
      if (full()) break;
      if (!text.empty()) text += '\n';
      text += behind_mark(mark(number++), is_inline(item) ? inline_text(item, depth) : block(item, depth));
    }
    return text;
  }

  std::string row(JsonView content, int depth) {
    std::string text = "|";
    for (JsonView cell : content) {
      if (full()) break;
      std::string inside = block(cell, depth);
      std::replace(inside.begin(), inside.end(), '\n', ' ');
      text += " " + inside + " |";
    }
    written_ += 1 + text.size() / 4;  // empty cells take room, too
    return text;
  }

  // "- " before the first line, blanks before the others.
  std::string behind_mark(std::string_view mark, std::string_view text) {
    written_ += mark.size();
    return std::string(mark) + with_prefix(text, std::string(mark.size(), ' '), false);
  }
  std::string quoted(std::string_view text) { return text.empty() ? "" : with_prefix(text, "> ", true); }

  std::string with_prefix(std::string_view text, std::string_view prefix, bool first_too) {
    std::string result(first_too ? prefix : std::string_view());
    for (const char c : text) {
      result += c;
      if (c == '\n') result += prefix;
    }
    written_ += result.size() - text.size();
    return result;
  }

  std::size_t limit_;
  std::size_t written_ = 0;
  bool cut_ = false;
};

}  // namespace

AdfText text_of_adf(JsonView document, std::size_t limit) {
  AdfWriter writer(limit);
  std::string text = writer.blocks(document["content"], 0, "\n\n");
  return {std::move(text), writer.cut()};
}

}  // namespace jira
