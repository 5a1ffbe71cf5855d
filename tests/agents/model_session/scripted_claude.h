// The program in the CLI's place (tests/agents/claude_cli), in a folder of its own that sessions may look at.
#pragma once

#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "davit/json.hpp"
#include "tests/agents/claude_cli/streams.h"

namespace scripted {

using davit::Json;
using Transcript = std::vector<std::pair<std::string, std::string>>;  // kind, line

// Where agents of several kinds are at work, each plays a script of its own.
struct Part {
  std::string name = "script";
  double usd = 0.0421;  // that a session costs
};

class Claude {
 public:
  Claude() {
    std::string pattern = (std::filesystem::temp_directory_path() / "davit-claude-XXXXXX").string();
    if (!mkdtemp(pattern.data())) std::abort();
    folder_ = pattern;
    std::filesystem::copy_file(std::filesystem::path(DAVIT_BUILD_DIR) / "tests/fake_claude",
                               folder_ / "claude");
  }
  ~Claude() { std::filesystem::remove_all(folder_); }
  Claude(const Claude&) = delete;
  Claude& operator=(const Claude&) = delete;

  // What an agent's config says about it, and a grant that it needs: its name, and its value.
  static constexpr const char* kGrant = "FAKE_CLAUDE";
  std::string grant(const std::string& part = "script") const { return (folder_ / part).string(); }
  void add_to(Json& config) const {
    config.set("claude", Json::object({{"path", (folder_ / "claude").string()},
                                       {"pass_environment", Json::array({kGrant})}}));
    config.set("sandbox", Json::object({{"read_only", Json::array({folder_.string()})}}));
  }

  // Does what the lines of `script` say, then answers so. Each session leaves the line "a session began" of
  // kind "stderr" in the transcript.
  void answer(Json structured, const std::string& script = "", const Part& part = {}) const {
    play(script + "emit " + stream_of(std::move(structured), part) + "\n", part.name);
  }
  // A file with what a session says that answers so, for a script's "emit".
  std::string stream_of(Json structured, const Part& part) const {
    std::string stream = streams::bytes_of("structured");
    const std::size_t last = stream.rfind('\n', stream.size() - 2) + 1;
    Json result = Json::parse(stream.substr(last));
    result.set("structured_output", std::move(structured));
    Json models(result["modelUsage"]);
    for (const auto& [model, used] : result["modelUsage"].members()) {
      Json priced(used);
      models.set(model, std::move(priced.set("costUSD", part.usd)));
    }
    result.set("total_cost_usd", part.usd).set("modelUsage", std::move(models));
    return file(part.name + ".stream", stream.substr(0, last) + result.dump() + "\n");
  }
  // A file that sessions can read.
  std::string file(const std::string& name, const std::string& content) const {
    std::ofstream(folder_ / name) << content;
    return (folder_ / name).string();
  }
  // The stream streams/<name>.jsonl.
  void answer_with(const std::string& name) const {
    play("emit " + file("stream", streams::bytes_of(name)) + "\n", Part().name);
  }
  // A part that does what those lines say, "emit" included.
  void play(const std::string& script, const std::string& part) const {
    file(part, "error a session began\n" + script);
  }

 private:
  std::filesystem::path folder_;
};

// The lines of that kind, one after the other.
inline std::string lines_of(const Transcript& transcript, const std::string& kind) {
  std::string lines;
  for (const auto& [of, line] : transcript)
    if (of == kind) lines += line + "\n";
  return lines;
}

inline int sessions_of(const Transcript& transcript) {
  int count = 0;
  for (const auto& [kind, line] : transcript) count += kind == "stderr" && line == "a session began";
  return count;
}

}  // namespace scripted
