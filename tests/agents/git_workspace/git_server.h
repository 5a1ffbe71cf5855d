// Repositories on a free port of this machine, served by git itself (git-http-backend), and git for tests.
#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/agents/http_client/loopback_server.h"

namespace davit::testing {

// What git prints; a test that cannot run it ends the program. Commits are of "Ann <ann@example.com>".
std::string run_git(const std::filesystem::path& folder, std::vector<std::string> arguments,
                    std::string_view input = "");

// The whole answer to a request of git's for a bare repository below `root`.
std::string answer_of_git(const std::filesystem::path& root, const Asked& asked);

// One file of a commit: what it holds, or where a link leads; a submodule's commit. Nullopt: removed.
struct Blob {
  std::string content;
  const char* mode = "100644";
};
using Files = std::map<std::string, std::optional<Blob>>;

class GitServer {
 public:
  GitServer();
  ~GitServer();

  const std::filesystem::path& folder() const { return folder_; }  // repositories lie in "root" below it
  std::filesystem::path repository(const std::string& name) const {
    return folder_ / "root" / (name + ".git");
  }
  std::string host() const { return "127.0.0.1:" + std::to_string(server_.port()); }
  std::string url(const std::string& name) const { return server_.url("/" + name + ".git"); }

  // Makes the repository if it is missing, and adds a commit to a branch. -> its id
  std::string commit(const std::string& name, const std::string& branch, const Files& files,
                     const std::string& message = "Change something");
  // The commit of a branch, or "".
  std::string head(const std::string& name, const std::string& branch) const;

  // Asked for each request, on the server's threads: true if it was answered. Set before requests come.
  std::function<bool(const Asked&, Wire&)> before;
  std::string token;  // if not empty, it is demanded

  std::vector<Asked> seen() const { return server_.seen(); }
  int connections() const { return server_.connections(); }

 private:
  std::filesystem::path folder_;
  LoopbackServer server_;
};

// What Authorization holds when git sends this token.
std::string authorization_of(const std::string& token);

// Whether some process of this user, of any program, has the text among its arguments now.
bool is_in_arguments(std::string_view text);
// The files below a folder that hold the text.
std::vector<std::string> files_with(const std::filesystem::path& folder, std::string_view text);

}  // namespace davit::testing
