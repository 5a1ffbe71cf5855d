#include "tests/agents/git_workspace/git_server.h"

#include <stdlib.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "child_process/run_to_end.h"

namespace davit::testing {
namespace {

namespace fs = std::filesystem;

constexpr const char* kGit = "/usr/bin/git";

fs::path new_folder() {
  std::string pattern = (fs::temp_directory_path() / "davit-git-XXXXXX").string();
  if (!mkdtemp(pattern.data())) std::abort();
  return pattern;
}

std::string content_of(const fs::path& file) {
  std::ostringstream text;
  text << std::ifstream(file, std::ios::binary).rdbuf();
  return text.str();
}

std::string base64(std::string_view bytes) {
  constexpr std::string_view kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (; !bytes.empty(); bytes.remove_prefix(std::min<std::size_t>(3, bytes.size()))) {
    unsigned value = 0;
    for (std::size_t i = 0; i < 3; ++i)
      value = value << 8 | (i < bytes.size() ? static_cast<unsigned char>(bytes[i]) : 0u);
    for (std::size_t i = 0; i < 4; ++i)
      text += i <= bytes.size() ? kLetters[value >> (18 - 6 * i) & 63u] : '=';
  }
  return text;
}

}  // namespace

std::string run_git(const fs::path& folder, std::vector<std::string> arguments, std::string_view input) {
  child::Program program;
  program.path = kGit;
  program.arguments = std::move(arguments);
  program.arguments.insert(program.arguments.begin(), "git");
  program.environment = {"PATH=/usr/bin:/bin",
                         "HOME=/nonexistent",
                         "LC_ALL=C",
                         "GIT_CONFIG_NOSYSTEM=1",
                         "GIT_AUTHOR_NAME=Ann",
                         "GIT_AUTHOR_EMAIL=ann@example.com",
                         "GIT_COMMITTER_NAME=Ann",
                         "GIT_COMMITTER_EMAIL=ann@example.com"};
  program.working_directory = folder.string();
  const child::Finished finished = child::run_to_end(program, input, {}, {});
  if (!finished.succeeded()) {
    std::fprintf(stderr, "git in %s: %s\n", folder.c_str(), finished.err.c_str());
    std::abort();
  }
  std::string out = finished.out;
  while (!out.empty() && out.back() == '\n') out.pop_back();
  return out;
}

std::string answer_of_git(const fs::path& root, const Asked& asked) {
  const std::size_t question = std::min(asked.target.find('?'), asked.target.size());
  child::Program program;
  program.path = kGit;
  program.arguments = {"git", "http-backend"};
  program.environment = {"PATH=/usr/bin:/bin",
                         "HOME=/nonexistent",
                         "GIT_CONFIG_NOSYSTEM=1",
                         "GIT_HTTP_EXPORT_ALL=1",
                         "GIT_PROJECT_ROOT=" + root.string(),
                         "REMOTE_USER=test",
                         "REMOTE_ADDR=127.0.0.1",
                         "REQUEST_METHOD=" + asked.method,
                         "PATH_INFO=" + asked.target.substr(0, question),
                         "QUERY_STRING=" + asked.target.substr(std::min(question + 1, asked.target.size())),
                         "CONTENT_TYPE=" + asked.header("Content-Type"),
                         "CONTENT_LENGTH=" + std::to_string(asked.body.size()),
                         "HTTP_CONTENT_ENCODING=" + asked.header("Content-Encoding"),
                         "GIT_PROTOCOL=" + asked.header("Git-Protocol")};
  const child::Finished finished = child::run_to_end(program, asked.body, {}, {});
  const std::size_t end = finished.out.find("\r\n\r\n");
  if (end == std::string::npos) return "HTTP/1.1 500 X\r\nContent-Length: 0\r\n\r\n";
  std::string head = finished.out.substr(0, end + 2);
  std::string status = "200";
  constexpr std::string_view kStatus = "Status: ";
  if (head.compare(0, kStatus.size(), kStatus) == 0) {
    status = head.substr(kStatus.size(), 3);
    head.erase(0, head.find("\r\n") + 2);
  }
  const std::string body = finished.out.substr(end + 4);
  return "HTTP/1.1 " + status + " X\r\n" + head + "Content-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + body;
}

std::string authorization_of(const std::string& token) {
  return "Basic " + base64("x-access-token:" + token);
}

GitServer::GitServer()
    : folder_(new_folder()), server_([this](const Asked& asked, Wire& wire) {
        if (before && before(asked, wire)) return;
        if (!token.empty() && asked.header("Authorization") != authorization_of(token)) {
          wire.answer(401, "", "WWW-Authenticate: Basic realm=\"test\"\r\n");
          return;
        }
        wire.send(answer_of_git(folder_ / "root", asked));
      }) {
  fs::create_directories(folder_ / "root");
}

GitServer::~GitServer() {
  std::error_code error;
  fs::remove_all(folder_, error);
}

std::string GitServer::commit(const std::string& name, const std::string& branch, const Files& files,
                              const std::string& message) {
  const fs::path folder = repository(name);
  if (!fs::exists(folder)) {
    fs::create_directories(folder);
    run_git(folder, {"init", "--quiet", "--bare", "--initial-branch=main", "--template=", "."});
    run_git(folder, {"config", "http.receivepack", "true"});
  }
  const auto data = [](const std::string& text) {
    return "data " + std::to_string(text.size()) + "\n" + text + "\n";
  };
  const std::string ref = "refs/heads/" + branch, parent = head(name, branch);
  std::string stream =
      "commit " + ref + "\ncommitter Ann <ann@example.com> 1700000000 +0000\n" + data(message);
  if (!parent.empty()) stream += "from " + parent + "\n";
  for (const auto& [path, blob] : files) {
    if (!blob) {
      stream += "D " + path + "\n";
    } else if (std::string_view(blob->mode) == "160000") {
      stream += "M 160000 " + blob->content + " " + path + "\n";
    } else {
      stream += std::string("M ") + blob->mode + " inline " + path + "\n" + data(blob->content);
    }
  }
  run_git(folder, {"fast-import", "--quiet", "--force"}, stream);
  return head(name, branch);
}

std::string GitServer::head(const std::string& name, const std::string& branch) const {
  return run_git(repository(name), {"for-each-ref", "--format=%(objectname)", "refs/heads/" + branch});
}

bool is_in_arguments(std::string_view text) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator("/proc", error)) {
    const std::string arguments = content_of(entry.path() / "cmdline");
    if (arguments.find(text) != std::string::npos) return true;
  }
  return false;
}

std::vector<std::string> files_with(const fs::path& folder, std::string_view text) {
  std::vector<std::string> found;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file() && content_of(entry.path()).find(text) != std::string::npos)
      found.push_back(entry.path().string());
  }
  return found;
}

}  // namespace davit::testing
