// The real program, for tests that have the agents' fakes beside it: the host's own headers and the SDK's,
// which those need, have names in common.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace davit::testing {

// As RunningHost, which it is. Confined to one thread.
class DavitProgram {
 public:
  struct Answer {
    int status = 0;
    std::string body;
  };

  DavitProgram();
  ~DavitProgram();

  std::filesystem::path folder() const;
  void install(const std::string& plugin);  // "planning_agent", of the build
  std::map<std::string, std::string>& environment();
  void configure(const std::string& sections);  // YAML
  bool start();
  void kill();  // with SIGKILL; also when it was killed by somebody else
  int pid() const;
  bool stop();  // in order; false if it ended in another way
  // With the administrator's token. Status 0: it does not answer.
  Answer api(const std::string& method, const std::string& target, const std::string& body = "");
  std::string command(std::vector<std::string> words);  // its output
  std::string log() const;

  static constexpr const char* kSecretVariable = "GITHUB_WEBHOOK_SECRET";  // with a secret for deliveries

 private:
  struct Inside;
  std::unique_ptr<Inside> inside_;
};

}  // namespace davit::testing
