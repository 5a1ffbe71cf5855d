// YAML text as a tree, with the traps of the language refused: the only place that knows yaml-cpp.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "host/config/mistake.h"

namespace davit::config {

struct YamlNode {
  enum class Kind { Null, Scalar, Sequence, Mapping };
  struct Member;

  Kind kind = Kind::Null;
  int line = 0;
  std::string text;     // of a scalar
  bool quoted = false;  // a scalar in quotes or a block scalar: always text
  std::vector<YamlNode> items;
  std::vector<Member> members;  // in the order of the file, keys unique
};

struct YamlNode::Member {
  std::string key;
  int line = 0;
  YamlNode value;
};

// The member of that name, or nullptr.
const YamlNode::Member* find_member(const YamlNode& node, std::string_view key);

struct YamlDocument {
  YamlNode root;
  bool complete = false;  // the tree is whole, though it may hold mistakes (keys given twice)
  std::vector<Mistake> mistakes;
};

// Reads exactly one document. Mistakes: what YAML itself refuses, bad UTF-8, control characters, tabs as
// indentation, a quote that is never closed, a second document, an empty file, keys given twice, anchors and
// aliases, merge keys, tags, keys that are not text, more than 32 levels.
YamlDocument read_yaml(std::string_view text);

// A sub-tree as JSON text. Plain scalars get their type by the core schema of YAML 1.2 (null, true, false,
// decimal, octal 0o and hexadecimal integers, floats); all others are strings. Infinity and not-a-number
// become strings as written.
std::string to_json_text(const YamlNode& node);

// Would the core schema read this plain scalar as something else than a string?
bool is_plain_string(const YamlNode& node);

}  // namespace davit::config
