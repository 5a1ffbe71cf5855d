// Starts programs under bubblewrap: in namespaces of their own, without capabilities, with a filter of system
// calls, with limits, and with the files, the environment and the network of a policy and nothing else.
//
// What it keeps from a program is what tests/agents/sandbox tries. It does not bound what a program writes
// into its tree in many files, nor the memory of all its processes together: a cgroup does.
#pragma once

#include <filesystem>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include "child_process/child_process.h"
#include "sandbox/egress.h"
#include "sandbox/policy.h"

namespace sandbox {

// The world by the names that the program knows.
struct View {
  std::filesystem::path work, home, temporary;
  std::filesystem::path files;  // the folder of Policy::files
  std::string proxy;            // for https; empty: there is none
};

// What to do about a bubblewrap that is not there under that name; empty: it is, which does not say that it
// works. Starts nothing.
std::string lack_of_bubblewrap(const std::string& command);

// Confined to one thread, but for `tell`, which is called by another.
class Confined {
 public:
  // Makes one such sandbox and ends it, to see that it can be had. Throws davit::Failure: InvalidInput for a
  // policy that makes no sense; Permanent, with a sentence that says what is missing and what to do, where it
  // cannot be had but is required. `tell` hears of each attempt to reach the network.
  explicit Confined(Policy policy, Egress::Tell tell = {});
  // Ends what is left of the programs, and returns when it is gone.
  ~Confined();
  Confined(const Confined&) = delete;
  Confined& operator=(const Confined&) = delete;

  // Empty: programs are confined. Else the sentence to warn with: they are not, because the policy does not
  // require it and it cannot be had.
  const std::string& why_not() const { return why_not_; }
  const View& view() const { return view_; }

  // "NAME=value" of PATH, LANG, HOME, TMPDIR and the proxy: for programs that need no others.
  std::vector<std::string> usual_environment() const;

  // What to start, once, while this lives. `arguments` begin with the program: a name that is looked for in
  // PATH, or a path by the names of the view. `environment` is all there is.
  child::Program program(const std::vector<std::string>& arguments, std::vector<std::string> environment);

 private:
  struct Start;  // what one start needs open

  child::Program confined(const std::vector<std::string>& arguments, std::vector<std::string> environment,
                          int handover);
  void check();
  void go_without(const std::string& why);

  const Policy policy_;
  std::string bubblewrap_, why_not_;
  View view_;
  std::filesystem::path own_folder_;  // where there is no sandbox: its home and files
  child::Descriptor handover_;        // listening sockets go out by it
  std::unique_ptr<Egress> egress_;
  std::list<Start> starts_;
};

}  // namespace sandbox
