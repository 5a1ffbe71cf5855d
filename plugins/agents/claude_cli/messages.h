// One line of the CLI's stream-json output, as far as it is of interest here. Unknown members and types are
// normal: versions add them.
//
// Shapes: https://code.claude.com/docs/en/headless and the messages of the Agent SDKs, of 2.1 versions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "davit/json.hpp"

namespace claude {

// Each from 0 to kMostTokens, whatever the line says.
struct Tokens {
  std::int64_t input = 0, output = 0, cache_read = 0, cache_write = 0;

  bool none() const { return input == 0 && output == 0 && cache_read == 0 && cache_write == 0; }
  // Of each the larger.
  void raise_to(const Tokens& other);
  void add(const Tokens& other);
};
constexpr std::int64_t kMostTokens = 1'000'000'000'000;

// The session begins: what it really has.
struct Init {
  struct Server {
    std::string name, status;  // "connected", "pending", "failed", "needs-auth", …
  };
  std::string version, model;
  std::vector<std::string> tools;
  std::vector<Server> servers;
};

// The CLI tries a request again by itself.
struct Retry {
  int status = 0;  // HTTP, or 0
};

// A piece of what the model said, or of what it asked for.
struct Block {
  enum class Kind { Text, Thinking, ToolUse, ToolResult };
  Kind kind = Kind::Text;
  std::string text;  // of a tool: its name and input
};

// One content block of an answer. Several lines share an id and repeat its usage.
struct Assistant {
  std::string id, model;
  Tokens tokens;
  std::vector<Block> blocks;
};

// What tools answered.
struct ToolResults {
  std::vector<Block> blocks;
};

// The beginning (with id and model) or the end (without) of an answer as it streams: the only place where the
// final number of its output tokens is said before the result. `parent` tells subagents' answers apart.
struct Streamed {
  std::string id, model, parent;
  Tokens tokens;
};

struct RateLimit {
  bool rejected = false;
  std::optional<std::int64_t> resets_at_ms;  // Unix time
};

struct Result {
  struct Model {
    Tokens tokens;
    double cost_usd = 0;
  };
  std::string subtype;
  bool is_error = false;
  std::string text;  // the answer, or what went wrong
  davit::Json structured;
  std::optional<double> cost_usd;  // absent when it is no amount of money
  Tokens tokens;
  std::vector<std::pair<std::string, Model>> models;
  int turns = 0;
  int api_status = 0;  // HTTP, or 0
  std::string stop_reason;
  std::vector<std::string> denied_tools;  // each once
};

struct Other {};       // of a type that is not needed
struct Chatter {};     // no JSON: some builds print such lines
struct Unreadable {};  // begins like JSON, and is none

using Message = std::variant<Init, Retry, Assistant, ToolResults, Streamed, RateLimit, Result, Other, Chatter,
                             Unreadable>;

// Never throws but for memory.
Message message_from(std::string_view line);

// `text` in one line of at most `most` bytes and whole characters: for messages and transcripts.
std::string one_line(std::string_view text, std::size_t most);

}  // namespace claude
