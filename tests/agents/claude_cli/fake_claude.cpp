// Plays the CLI: refuses what it would refuse, then does what a script says, line by line. FAKE_CLAUDE names
// the script.
//
//   emit FILE    prints a file         say TEXT     prints a line   error TEXT   the same to standard error
//   flood BYTES  prints so much        touch FILE   makes a file    prompt FILE  writes its input there
//   ignore-term  SIGTERM does nothing  hang         waits for ever  exit N, kill N
//   grandchild FILE  leaves a process that holds its outputs, and writes its number there
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <vector>

namespace {

[[noreturn]] void fail(const std::string& why) {
  std::cerr << why << std::endl;
  std::exit(1);
}

bool has(const std::vector<std::string>& arguments, const std::string& wanted) {
  return std::find(arguments.begin(), arguments.end(), wanted) != arguments.end();
}

void check_arguments(const std::vector<std::string>& arguments) {
  const std::vector<std::string> known = {"-p",
                                          "--output-format=",
                                          "--verbose",
                                          "--include-partial-messages",
                                          "--session-id=",
                                          "--no-session-persistence",
                                          "--setting-sources=",
                                          "--strict-mcp-config",
                                          "--permission-mode=",
                                          "--tools=",
                                          "--allowedTools=",
                                          "--model=",
                                          "--fallback-model=",
                                          "--max-turns=",
                                          "--max-budget-usd=",
                                          "--json-schema=",
                                          "--append-system-prompt-file=",
                                          "--mcp-config="};
  for (const std::string& argument : arguments) {
    const auto fits = [&](const std::string& option) {
      return option.back() == '=' ? argument.rfind(option, 0) == 0 : argument == option;
    };
    if (std::none_of(known.begin(), known.end(), fits)) fail("error: unknown option '" + argument + "'");
  }
  for (const char* needed : {"-p", "--output-format=stream-json", "--verbose", "--permission-mode=dontAsk"}) {
    if (!has(arguments, needed)) fail(std::string("error: ") + needed + " is missing");
  }
}

void check_environment() {
  for (const char* needed : {"HOME", "PATH", "CLAUDE_CONFIG_DIR"}) {
    if (!std::getenv(needed)) fail(std::string("error: no ") + needed);
  }
  if (std::getenv("CLAUDECODE")) fail("error: this runs inside a session already");
}

// As the real one does it: before any model is asked.
void run_hook_of_the_tree(const std::vector<std::string>& arguments) {
  if (!has(arguments, "--setting-sources=") && std::filesystem::exists(".claude/hook"))
    std::ofstream("hook-ran") << "yes";
}

void leave_a_grandchild(const std::string& file) {
  const pid_t pid = fork();
  if (pid == 0) {
    for (;;) pause();
  }
  std::ofstream(file) << pid;
}

void flood(std::size_t bytes) {
  const std::string piece(64 * 1024, 'x');
  while (bytes > 0) {
    const ssize_t written = write(1, piece.data(), std::min(bytes, piece.size()));
    if (written <= 0) std::exit(7);
    bytes -= static_cast<std::size_t>(written);
  }
}

void play(const std::string& line, const std::string& prompt) {
  const std::size_t end = std::min(line.find(' '), line.size());
  const std::string word = line.substr(0, end), rest = line.substr(std::min(end + 1, line.size()));
  if (word == "emit") {
    std::ifstream file(rest, std::ios::binary);
    if (!file) fail("fake_claude: no file " + rest);
    std::cout << file.rdbuf() << std::flush;
  } else if (word == "say") {
    std::cout << rest << std::endl;
  } else if (word == "error") {
    std::cerr << rest << std::endl;
  } else if (word == "flood") {
    flood(std::stoull(rest));
  } else if (word == "touch") {
    std::ofstream{rest};
  } else if (word == "prompt") {
    std::ofstream(rest) << prompt;
  } else if (word == "ignore-term") {
    signal(SIGTERM, SIG_IGN);
  } else if (word == "hang") {
    for (;;) pause();
  } else if (word == "grandchild") {
    leave_a_grandchild(rest);
  } else if (word == "exit") {
    std::exit(std::stoi(rest));
  } else if (word == "kill") {
    raise(std::stoi(rest));
  } else {
    fail("fake_claude: what is " + line + "?");
  }
}

}  // namespace

int main(int count, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + count);
  check_arguments(arguments);
  check_environment();
  const std::string prompt{std::istreambuf_iterator<char>(std::cin), {}};
  if (prompt.empty()) fail("Error: Input must be provided through stdin");
  run_hook_of_the_tree(arguments);
  const char* script = std::getenv("FAKE_CLAUDE");
  std::ifstream lines(script ? script : "");
  if (!lines) fail("fake_claude: FAKE_CLAUDE names no script");
  for (std::string line; std::getline(lines, line);) play(line, prompt);
  return 0;
}
