// yaml-cpp is lenient where a configuration must not be: of a key given twice the first wins, a second
// document is dropped, a quote that is open at the end of the file is closed in silence, merge keys are kept
// as ordinary ones. So the tree is built from the parser's events, where all of that can still be seen, and
// not from YAML::Node.
#include "host/config/yaml_document.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <sstream>

#include "host/base/json.h"

namespace davit::config {
namespace {

constexpr std::size_t kMaxDepth = 32;

// Ends the parse; the mistake is already noted.
struct Stop {};

class TreeBuilder final : public YAML::EventHandler {
 public:
  TreeBuilder(std::string_view text, YamlDocument& document) : text_(text), document_(document) {}

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    refuse_anchor(mark, anchor);
    // The mark of an absent value is where the next thing begins; the line of its key is what people look
    // for.
    YamlNode node;
    node.line = open_.empty() || key_line_ == 0 ? line_of(mark) : key_line_;
    add(std::move(node), mark);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    stop(line_of(mark), "aliases (*name) are not supported; write the value out");
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    refuse_anchor(mark, anchor);
    if (tag != "?" && tag != "!") stop(line_of(mark), "tags (!type) are not supported; remove it");
    if (tag == "!") check_closed(mark);
    YamlNode node;
    node.kind = YamlNode::Kind::Scalar;
    node.line = line_of(mark);
    node.text = value;
    node.quoted = tag == "!";
    add(std::move(node), mark);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    enter(mark, tag, anchor, YamlNode::Kind::Sequence);
  }
  void OnSequenceEnd() override { leave(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    enter(mark, tag, anchor, YamlNode::Kind::Mapping);
  }
  void OnMapEnd() override { leave(); }

 private:
  // A collection that is being filled. In a mapping every other node is a key.
  struct Open {
    YamlNode node;
    std::string key;
    int key_line = 0;
    bool has_key = false;
    bool key_is_double = false;
  };

  static int line_of(const YAML::Mark& mark) { return mark.line + 1; }

  [[noreturn]] void stop(int line, std::string text) {
    document_.mistakes.push_back({line, path(), std::move(text)});
    throw Stop();
  }

  std::string path() const {
    std::string path;
    for (const Open& open : open_) {
      if (!open.has_key) continue;
      if (!path.empty()) path += '.';
      path += open.key;
    }
    return path;
  }

  void refuse_anchor(const YAML::Mark& mark, YAML::anchor_t anchor) {
    if (anchor != 0)
      stop(line_of(mark), "anchors (&name) are not supported; write the value out where it is needed");
  }

  bool wants_key() const {
    return !open_.empty() && open_.back().node.kind == YamlNode::Kind::Mapping && !open_.back().has_key;
  }

  void enter(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, YamlNode::Kind kind) {
    refuse_anchor(mark, anchor);
    if (tag != "?" && tag != "!" && !tag.empty()) stop(line_of(mark), "tags are not supported; remove it");
    if (wants_key()) stop(line_of(mark), "a key must be text");
    if (open_.size() >= kMaxDepth)
      stop(line_of(mark), "nested more than " + std::to_string(kMaxDepth) + " levels deep; flatten it");
    Open open;
    open.node.kind = kind;
    open.node.line = line_of(mark);
    open_.push_back(std::move(open));
  }

  void leave() {
    YamlNode node = std::move(open_.back().node);
    open_.pop_back();
    put(std::move(node));
  }

  void add(YamlNode node, const YAML::Mark& mark) {
    if (wants_key())
      take_key(std::move(node), mark);
    else
      put(std::move(node));
  }

  void take_key(YamlNode node, const YAML::Mark& mark) {
    if (node.kind != YamlNode::Kind::Scalar) stop(line_of(mark), "a key must be text");
    Open& open = open_.back();
    open.key = std::move(node.text);
    open.key_line = key_line_ = node.line;
    open.has_key = true;
    if (open.key == "<<" && !node.quoted)
      stop(node.line, "merge keys (<<) are not supported; write the members out");
    const auto twin = std::find_if(open.node.members.begin(), open.node.members.end(),
                                   [&](const auto& member) { return member.key == open.key; });
    open.key_is_double = twin != open.node.members.end();
    if (open.key_is_double)
      document_.mistakes.push_back(
          {node.line, path(), "is given twice, first in line " + std::to_string(twin->line) + "; keep one"});
  }

  void put(YamlNode node) {
    if (open_.empty()) {
      document_.root = std::move(node);
      return;
    }
    Open& open = open_.back();
    if (open.node.kind == YamlNode::Kind::Sequence) {
      open.node.items.push_back(std::move(node));
      return;
    }
    if (!open.key_is_double)
      open.node.members.push_back({std::move(open.key), open.key_line, std::move(node)});
    open.key.clear();
    open.has_key = open.key_is_double = false;
    key_line_ = 0;
  }

  // Does the quote that begins at the mark end somewhere?
  void check_closed(const YAML::Mark& mark) {
    const auto begin = static_cast<std::size_t>(std::max(mark.pos, 0));
    if (begin >= text_.size()) return;
    const char quote = text_[begin];
    if (quote != '"' && quote != '\'') return;  // a block scalar
    for (std::size_t i = begin + 1; i < text_.size(); ++i) {
      if (quote == '"' && text_[i] == '\\') {
        ++i;
      } else if (text_[i] == quote) {
        if (quote == '"' || i + 1 >= text_.size() || text_[i + 1] != quote) return;
        ++i;  // '' inside single quotes
      }
    }
    stop(line_of(mark), std::string("the quote ") + quote + " is never closed; close it");
  }

  std::string_view text_;
  YamlDocument& document_;
  std::vector<Open> open_;
  int key_line_ = 0;
};

// Notes what no parser should be asked to read. Lines count from 1.
void check_characters(std::string_view text, std::vector<Mistake>& mistakes) {
  int number = 0;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    std::string_view line = text.substr(begin, end - begin);
    begin = end + 1;
    ++number;
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (!is_utf8(line)) {
      mistakes.push_back({number, "", "is not valid UTF-8; save the file as UTF-8"});
      return;
    }
    const std::size_t text_begin = line.find_first_not_of(" \t");
    if (text_begin != std::string_view::npos &&
        line.substr(0, text_begin).find('\t') != std::string_view::npos)
      mistakes.push_back({number, "", "is indented with a tab; use spaces"});
    const auto is_control = [](unsigned char c) { return (c < 0x20 && c != '\t') || c == 0x7f; };
    if (std::any_of(line.begin(), line.end(), is_control))
      mistakes.push_back({number, "", "holds a control character; remove it"});
  }
}

std::string sentence_of(const YAML::ParserException& error) {
  const std::string& text = error.msg;
  if (text == YAML::ErrorMsg::EOF_IN_SCALAR) return "a quote is never closed; close it";
  if (text == YAML::ErrorMsg::END_OF_MAP_FLOW) return "a { is never closed; add the }";
  if (text == YAML::ErrorMsg::END_OF_SEQ_FLOW) return "a [ is never closed; add the ]";
  if (text == YAML::ErrorMsg::FLOW_END) return "a } or ] closes nothing; remove it";
  if (text == YAML::ErrorMsg::MAP_VALUE)
    return "this line does not fit the one before it; check the indentation";
  if (text == YAML::ErrorMsg::UNKNOWN_ANCHOR) return "aliases (*name) are not supported; write the value out";
  if (text == YAML::ErrorMsg::UNKNOWN_TOKEN)
    return "a value begins with a character that YAML reserves; put it in quotes";
  return "is not valid YAML (" + text + "); check quotes, indentation and the lines above";
}

enum class ScalarType { Null, Boolean, Integer, Float, Text };

bool all_of_set(std::string_view text, std::string_view set) {
  return !text.empty() && text.find_first_not_of(set) == std::string_view::npos;
}

// YAML 1.2.2 §10.3.2 without infinity and not-a-number, which JSON cannot say.
ScalarType core_type(std::string_view text) {
  if (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL")
    return ScalarType::Null;
  if (text == "true" || text == "True" || text == "TRUE" || text == "false" || text == "False" ||
      text == "FALSE")
    return ScalarType::Boolean;
  if (text.starts_with("0o"))
    return all_of_set(text.substr(2), "01234567") ? ScalarType::Integer : ScalarType::Text;
  if (text.starts_with("0x"))
    return all_of_set(text.substr(2), "0123456789abcdefABCDEF") ? ScalarType::Integer : ScalarType::Text;
  std::string_view rest = text.substr(text.front() == '-' || text.front() == '+' ? 1 : 0);
  if (all_of_set(rest, "0123456789")) return ScalarType::Integer;
  // [-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?
  const auto skip_digits = [&] {
    const std::size_t count = std::min(rest.find_first_not_of("0123456789"), rest.size());
    rest.remove_prefix(count);
    return count;
  };
  const std::size_t whole = skip_digits();
  std::size_t fraction = 0;
  if (rest.starts_with('.')) {
    rest.remove_prefix(1);
    fraction = skip_digits();
  }
  if (whole + fraction == 0) return ScalarType::Text;
  if (rest.starts_with('e') || rest.starts_with('E')) {
    rest.remove_prefix(1);
    if (rest.starts_with('-') || rest.starts_with('+')) rest.remove_prefix(1);
    if (skip_digits() == 0) return ScalarType::Text;
  }
  return rest.empty() ? ScalarType::Float : ScalarType::Text;
}

void write_integer(JsonWriter& writer, std::string_view text) {
  int base = 10;
  std::string_view digits = text;
  if (digits.starts_with("0x") || digits.starts_with("0o")) {
    base = digits[1] == 'x' ? 16 : 8;
    digits.remove_prefix(2);
  }
  if (digits.starts_with('+')) digits.remove_prefix(1);
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number, base);
  // Beyond 64 bits a number would lose digits: ids stay whole as text.
  if (error != std::errc() || end != digits.data() + digits.size())
    write_string(writer, text);
  else
    writer.Int64(number);
}

void write_scalar(JsonWriter& writer, const YamlNode& node) {
  switch (node.quoted ? ScalarType::Text : core_type(node.text)) {
    case ScalarType::Null:
      writer.Null();
      return;
    case ScalarType::Boolean:
      writer.Bool(node.text.front() == 't' || node.text.front() == 'T');
      return;
    case ScalarType::Integer:
      write_integer(writer, node.text);
      return;
    case ScalarType::Float: {
      const char* begin = node.text.c_str() + (node.text.front() == '+' ? 1 : 0);
      double number = 0;
      const auto [end, error] = std::from_chars(begin, node.text.c_str() + node.text.size(), number);
      if (error == std::errc() && std::isfinite(number))
        writer.Double(number);
      else
        write_string(writer, node.text);
      return;
    }
    case ScalarType::Text:
      write_string(writer, node.text);
  }
}

// Recursion is bounded by kMaxDepth.
void write_node(JsonWriter& writer, const YamlNode& node) {
  switch (node.kind) {
    case YamlNode::Kind::Null:
      writer.Null();
      return;
    case YamlNode::Kind::Scalar:
      write_scalar(writer, node);
      return;
    case YamlNode::Kind::Sequence:
      writer.StartArray();
      for (const YamlNode& item : node.items) write_node(writer, item);
      writer.EndArray();
      return;
    case YamlNode::Kind::Mapping:
      writer.StartObject();
      for (const auto& member : node.members) {
        writer.Key(member.key.data(), static_cast<rapidjson::SizeType>(member.key.size()));
        write_node(writer, member.value);
      }
      writer.EndObject();
  }
}

}  // namespace

const YamlNode::Member* find_member(const YamlNode& node, std::string_view key) {
  for (const auto& member : node.members)
    if (member.key == key) return &member;
  return nullptr;
}

YamlDocument read_yaml(std::string_view text) {
  YamlDocument document;
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  check_characters(text, document.mistakes);
  if (!document.mistakes.empty()) return document;

  std::istringstream stream{std::string(text)};
  TreeBuilder builder(text, document);
  try {
    YAML::Parser parser(stream);
    if (!parser.HandleNextDocument(builder) || document.root.kind == YamlNode::Kind::Null) {
      document.mistakes.push_back({0, "", "is empty; `davit init` writes one to start from"});
      return document;
    }
    document.complete = true;
    YamlDocument second;
    TreeBuilder second_builder(text, second);
    if (parser.HandleNextDocument(second_builder))
      document.mistakes.push_back({std::max(second.root.line, 1), "",
                                   "a second document begins here; a configuration is one document"});
  } catch (const Stop&) {  // noted where it was seen
  } catch (const YAML::ParserException& error) {
    document.mistakes.push_back({error.mark.line + 1, "", sentence_of(error)});
  } catch (const std::exception& error) {
    document.mistakes.push_back({0, "", std::string("cannot be read as YAML: ") + error.what()});
  }
  return document;
}

std::string to_json_text(const YamlNode& node) {
  JsonBuffer buffer;
  JsonWriter writer(buffer);
  write_node(writer, node);
  return std::string(text_of(buffer));
}

bool is_plain_string(const YamlNode& node) {
  return node.kind == YamlNode::Kind::Scalar && (node.quoted || core_type(node.text) == ScalarType::Text);
}

}  // namespace davit::config
