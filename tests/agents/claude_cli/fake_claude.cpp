// Plays the CLI: refuses what it would refuse, then does what a script says, line by line. FAKE_CLAUDE names
// the script.
//
//   emit FILE    prints a file         say TEXT     prints a line   error TEXT   the same to standard error
//   flood BYTES  prints so much        touch FILE   makes a file    prompt FILE  writes its input there
//   ignore-term  SIGTERM does nothing  hang         waits for ever  exit N, kill N
//   grandchild FILE  leaves a process that holds its outputs, and writes its number there
//   lock FILE    holds a lock on it for as long as it or its grandchild lives
//   environment FILE, arguments FILE  writes them there, one a line
//   show FILE  writes what it holds to standard error, or that there is none
//   copy OPTION FILE  writes there what the file that the option names holds
//   put FILE SOURCE  copies SOURCE there, and makes the folders it needs
//   remove FILE  takes it away
//   link FILE TARGET  makes a symbolic link
//   when WORD LINE, unless WORD LINE  does what LINE says if that word is in its input, or is not
//   connect HOST:PORT  asks the proxy for it, and prints the answer's first line to standard error
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/socket.h>
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

void lock(const std::string& file) {
  const int descriptor = open(file.c_str(), O_RDWR | O_CREAT, 0600);
  if (descriptor < 0 || flock(descriptor, LOCK_EX) != 0) fail("fake_claude: cannot lock " + file);
}

void write_lines(const std::string& file, char** lines) {
  std::ofstream stream(file);
  for (; *lines; ++lines) stream << *lines << "\n";
}

void copy(const std::string& option_and_file, char** arguments) {
  const std::size_t blank = option_and_file.find(' ');
  const std::string option = option_and_file.substr(0, blank) + "=";
  for (; *arguments; ++arguments) {
    const std::string argument = *arguments;
    if (argument.rfind(option, 0) != 0) continue;
    std::ifstream file(argument.substr(option.size()), std::ios::binary);
    if (!file) fail("fake_claude: cannot read " + argument);
    std::ofstream(option_and_file.substr(blank + 1)) << file.rdbuf();
    return;
  }
  fail("fake_claude: " + option + " was not given");
}

void put(const std::string& file_and_source) {
  const std::size_t blank = file_and_source.find(' ');
  const std::filesystem::path file = file_and_source.substr(0, blank);
  if (file.has_parent_path()) std::filesystem::create_directories(file.parent_path());
  std::ifstream source(file_and_source.substr(blank + 1), std::ios::binary);
  if (!source || !(std::ofstream(file, std::ios::binary) << source.rdbuf()))
    fail("fake_claude: cannot put " + file_and_source);
}

void ask_proxy_for(const std::string& where) {
  const char* proxy = std::getenv("HTTPS_PROXY");
  if (!proxy) fail("fake_claude: there is no proxy");
  const std::string text = proxy;
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(std::stoi(text.substr(text.rfind(':') + 1))));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int client = socket(AF_INET, SOCK_STREAM, 0);
  const std::string request = "CONNECT " + where + " HTTP/1.1\r\n\r\n";
  char answer[256]{};
  if (connect(client, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      write(client, request.data(), request.size()) < 0 || read(client, answer, sizeof answer - 1) <= 0)
    fail("fake_claude: the proxy does not answer");
  close(client);
  std::cerr << std::string(answer).substr(0, std::string(answer).find('\r')) << std::endl;
}

void play(const std::string& line, const std::string& prompt, char** arguments) {
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
  } else if (word == "lock") {
    lock(rest);
  } else if (word == "environment") {
    write_lines(rest, environ);
  } else if (word == "arguments") {
    write_lines(rest, arguments);
  } else if (word == "show") {
    if (std::ifstream file(rest, std::ios::binary); file)
      std::cerr << file.rdbuf() << std::endl;
    else
      std::cerr << "there is no " << rest << std::endl;
  } else if (word == "copy") {
    copy(rest, arguments);
  } else if (word == "put") {
    put(rest);
  } else if (word == "remove") {
    std::filesystem::remove(rest);
  } else if (word == "link") {
    const std::size_t blank = rest.find(' ');
    std::filesystem::create_symlink(rest.substr(blank + 1), rest.substr(0, blank));
  } else if (word == "when" || word == "unless") {
    const std::size_t blank = std::min(rest.find(' '), rest.size());
    const bool is_there = prompt.find(rest.substr(0, blank)) != std::string::npos;
    if (is_there == (word == "when")) play(rest.substr(std::min(blank + 1, rest.size())), prompt, arguments);
  } else if (word == "connect") {
    ask_proxy_for(rest);
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
  for (std::string line; std::getline(lines, line);) play(line, prompt, argv);
  return 0;
}
