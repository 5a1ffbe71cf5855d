// What the CLI prints in one session, as files streams/<name>.jsonl.
#pragma once

#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "claude_cli/transcript.h"

namespace streams {

inline const std::filesystem::path& folder() {
  static const std::filesystem::path path =
      std::filesystem::path(DAVIT_SOURCE_DIR) / "tests/agents/claude_cli/streams";
  return path;
}

inline std::string bytes_of(const std::string& name) {
  std::ifstream file(folder() / (name + ".jsonl"), std::ios::binary);
  if (!file) throw std::runtime_error("there is no stream " + name);
  return {std::istreambuf_iterator<char>(file), {}};
}

// As waitpid() says them.
constexpr int exited(int status) { return status << 8; }
constexpr int killed_by(int signal) { return signal; }

// The outcome of a session that printed `bytes`, `step` at a time.
inline claude::Outcome outcome_of(std::string_view bytes, const claude::Exit& exit = {},
                                  const claude::Asked& asked = {}, std::size_t step = 4096) {
  claude::Transcript session(asked, claude::usual_prices());
  for (; !bytes.empty(); bytes.remove_prefix(std::min(step, bytes.size())))
    session.take(bytes.substr(0, step));
  return std::move(session).finish(exit);
}

inline claude::Outcome outcome_of_stream(const std::string& name, const claude::Exit& exit = {},
                                         const claude::Asked& asked = {}) {
  return outcome_of(bytes_of(name), exit, asked);
}

}  // namespace streams
