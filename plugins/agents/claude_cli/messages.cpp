#include "claude_cli/messages.h"

#include <algorithm>
#include <cmath>

#include "davit/failure.hpp"
#include "davit/text.hpp"

namespace claude {
namespace {

using davit::Json;
using davit::JsonView;

constexpr std::size_t kMostBlock = 4096;    // of a block's text
constexpr std::size_t kMostName = 128;      // of a model, tool, server, id
constexpr std::size_t kMostEntries = 256;   // of a list
constexpr double kMostDollars = 1'000'000;  // more is no cost of a session
constexpr int kMostDepth = 256;             // inputs of tools lie some levels deep
constexpr std::size_t kMostValues = 2'000'000;

std::string name_in(JsonView json) {
  const std::string_view text = json.string_or("").substr(0, kMostName);
  return std::string(text.substr(0, davit::utf8_prefix(text)));
}

std::int64_t count_in(JsonView json) {
  const double number = json.number_or(0);
  if (!(number > 0)) return 0;
  if (number >= static_cast<double>(kMostTokens)) return kMostTokens;
  return static_cast<std::int64_t>(number);
}

int small_in(JsonView json) {
  return static_cast<int>(std::clamp<std::int64_t>(json.int_or(0), 0, 1'000'000));
}

std::optional<double> dollars_in(JsonView json) {
  const double number = json.number_or(-1);
  if (!(number >= 0 && number <= kMostDollars)) return std::nullopt;
  return number;
}

Tokens tokens_in(JsonView usage) {
  return {.input = count_in(usage["input_tokens"]),
          .output = count_in(usage["output_tokens"]),
          .cache_read = count_in(usage["cache_read_input_tokens"]),
          .cache_write = count_in(usage["cache_creation_input_tokens"])};
}

// A tool's result is a text or a list of blocks.
std::string text_in(JsonView content) {
  if (content.is_string()) return std::string(content.string_or(""));
  std::string text;
  for (JsonView block : content) {
    if (text.size() > kMostBlock) break;
    if (!text.empty()) text += '\n';
    text += block["text"].string_or("");
  }
  return text;
}

std::vector<Block> blocks_in(JsonView content) {
  std::vector<Block> blocks;
  const auto add = [&](Block::Kind kind, std::string_view text) {
    if (!text.empty()) blocks.push_back({kind, one_line(text, kMostBlock)});
  };
  if (content.is_string()) add(Block::Kind::Text, content.string_or(""));
  for (JsonView block : content) {
    if (blocks.size() == kMostEntries) break;
    const JsonView type = block["type"];
    if (type == "text") {
      add(Block::Kind::Text, block["text"].string_or(""));
    } else if (type == "thinking") {
      add(Block::Kind::Thinking, block["thinking"].string_or(""));
    } else if (type == "tool_use") {
      add(Block::Kind::ToolUse, name_in(block["name"]) + " " + block["input"].dump());
    } else if (type == "tool_result") {
      add(Block::Kind::ToolResult, text_in(block["content"]));
    }
  }
  return blocks;
}

Init init_from(JsonView json) {
  Init init{.version = name_in(json["claude_code_version"]), .model = name_in(json["model"])};
  for (JsonView tool : json["tools"]) {
    if (init.tools.size() < kMostEntries) init.tools.push_back(name_in(tool));
  }
  for (JsonView server : json["mcp_servers"]) {
    if (init.servers.size() < kMostEntries)
      init.servers.push_back({name_in(server["name"]), name_in(server["status"])});
  }
  return init;
}

RateLimit rate_limit_from(JsonView info) {
  // Paid by the use beyond the plan it goes on all the same.
  RateLimit limit{.rejected = info["status"] == "rejected" && !info["isUsingOverage"].bool_or(false)};
  // Seconds in all versions seen; what could only be milliseconds is taken as such.
  const std::int64_t at = info["resetsAt"].int_or(0);
  if (at > 0 && at < 100'000'000'000) limit.resets_at_ms = at * 1000;
  if (at >= 100'000'000'000 && at < 100'000'000'000'000) limit.resets_at_ms = at;
  return limit;
}

Result result_from(JsonView json) {
  Result result{.subtype = name_in(json["subtype"]),
                .is_error = json["is_error"].bool_or(true),
                .text = std::string(json["result"].string_or("")),
                .structured = Json(json["structured_output"]),
                .cost_usd = dollars_in(json["total_cost_usd"]),
                .tokens = tokens_in(json["usage"]),
                .turns = small_in(json["num_turns"]),
                .api_status = small_in(json["api_error_status"]),
                .stop_reason = name_in(json["stop_reason"])};
  for (JsonView error : json["errors"]) {
    if (result.text.size() > kMostBlock) break;
    if (!result.text.empty()) result.text += "; ";
    result.text += error.is_string() ? error.string_or("") : error["message"].string_or("");
  }
  for (const auto& [model, figures] : json["modelUsage"].members()) {
    if (result.models.size() == kMostEntries) break;
    const std::string_view name = model.substr(0, kMostName);
    result.models.emplace_back(name.substr(0, davit::utf8_prefix(name)),
                               Result::Model{{.input = count_in(figures["inputTokens"]),
                                              .output = count_in(figures["outputTokens"]),
                                              .cache_read = count_in(figures["cacheReadInputTokens"]),
                                              .cache_write = count_in(figures["cacheCreationInputTokens"])},
                                             dollars_in(figures["costUSD"]).value_or(0)});
  }
  for (JsonView denial : json["permission_denials"]) {
    std::string tool = name_in(denial["tool_name"]);
    auto& denied = result.denied_tools;
    if (denied.size() < kMostEntries && std::find(denied.begin(), denied.end(), tool) == denied.end())
      denied.push_back(std::move(tool));
  }
  return result;
}

Message streamed_from(JsonView json) {
  const JsonView event = json["event"];
  const std::string parent = name_in(json["parent_tool_use_id"]);
  if (event["type"] == "message_start") {
    const JsonView message = event["message"];
    return Streamed{name_in(message["id"]), name_in(message["model"]), parent, tokens_in(message["usage"])};
  }
  if (event["type"] == "message_delta") return Streamed{"", "", parent, tokens_in(event["usage"])};
  return Other{};
}

Message message_in(JsonView json) {
  const JsonView type = json["type"], subtype = json["subtype"], message = json["message"];
  if (type == "system" && subtype == "init") return init_from(json);
  if (type == "system" && subtype == "api_retry") return Retry{small_in(json["error_status"])};
  if (type == "assistant") {
    return Assistant{name_in(message["id"]), name_in(message["model"]), tokens_in(message["usage"]),
                     blocks_in(message["content"])};
  }
  if (type == "user") return ToolResults{blocks_in(message["content"])};
  if (type == "stream_event") return streamed_from(json);
  if (type == "rate_limit_event") return rate_limit_from(json["rate_limit_info"]);
  if (type == "result") return result_from(json);
  return Other{};
}

// The first `most` bytes, less the half of a character.
std::string_view cut(std::string_view text, std::size_t most) {
  if (text.size() <= most) return text;
  std::size_t end = most;
  for (int i = 0; i < 3 && end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80; ++i) --end;
  return text.substr(0, end);
}

int hex4(std::string_view text) {
  if (text.size() < 4) return -1;
  int value = 0;
  for (const char c : text.substr(0, 4)) {
    const int digit = c >= '0' && c <= '9'   ? c - '0'
                      : c >= 'a' && c <= 'f' ? c - 'a' + 10
                      : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                             : -1;
    if (digit < 0) return -1;
    value = value * 16 + digit;
  }
  return value;
}

// The CLI cuts long texts between two halves of a character, and a tool may print any bytes: JSON readers
// refuse both, and with them a line that may be the result.
std::string mended(std::string_view line) {
  std::string clean = davit::to_utf8(line);
  for (std::size_t i = 0; i + 1 < clean.size(); ++i) {
    if (clean[i] != '\\') continue;
    const auto unit_at = [&](std::size_t at) {
      return clean.compare(at, 2, "\\u") == 0 ? hex4(std::string_view(clean).substr(at + 2)) : -1;
    };
    const int unit = unit_at(i);
    if (unit < 0xD800 || unit > 0xDFFF) {
      ++i;  // what is escaped begins no escape
    } else if (const int next = i + 6 < clean.size() ? unit_at(i + 6) : -1;
               unit < 0xDC00 && next >= 0xDC00 && next <= 0xDFFF) {
      i += 11;
    } else {
      clean.replace(i + 2, 4, "fffd");
      i += 5;
    }
  }
  return clean;
}

}  // namespace

void Tokens::raise_to(const Tokens& other) {
  input = std::max(input, other.input);
  output = std::max(output, other.output);
  cache_read = std::max(cache_read, other.cache_read);
  cache_write = std::max(cache_write, other.cache_write);
}

void Tokens::add(const Tokens& other) {
  input = std::min(input + other.input, kMostTokens);
  output = std::min(output + other.output, kMostTokens);
  cache_read = std::min(cache_read + other.cache_read, kMostTokens);
  cache_write = std::min(cache_write + other.cache_write, kMostTokens);
}

Message message_from(std::string_view line) {
  const std::size_t begin = line.find_first_not_of(" \t\r");
  if (begin == std::string_view::npos || line[begin] != '{') return Chatter{};
  try {
    const Json json = Json::parse(line, kMostDepth, kMostValues);
    return message_in(json);
  } catch (const davit::Failure&) {
  }
  try {
    const Json json = Json::parse(mended(line), kMostDepth, kMostValues);
    return message_in(json);
  } catch (const davit::Failure&) {
    return Unreadable{};
  }
}

std::string one_line(std::string_view text, std::size_t most) {
  std::string line = davit::to_utf8(cut(text, most));
  line.resize(cut(line, most).size());  // what was no character has become a longer one
  for (char& c : line) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = ' ';
  }
  line.resize(line.find_last_not_of(' ') + 1);
  return line;
}

}  // namespace claude
