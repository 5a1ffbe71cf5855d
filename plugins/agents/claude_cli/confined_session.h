// A session of the CLI in a sandbox: what agents run.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "claude_cli/command_line.h"
#include "claude_cli/outcome.h"
#include "claude_cli/settings.h"
#include "davit/agent.hpp"
#include "sandbox/policy.h"

namespace claude {

// What a user may say about the sandbox in an agent's config, under `sandbox`:
//
//   network_hosts  hosts that sessions may reach, default ["api.anthropic.com"]: the model's, and where it is
//   another
//                  provider's, his; a name, *.name for all below it, with :port where it is not 443
//   read_only      folders they may look at beside /usr, by absolute paths: an interpreter of one's own, a
//                  wrapper's program
//   allow_private  true: those hosts may have addresses of private networks, or of this machine; default
//   false
//
// Throws davit::Failure(InvalidInput) that names the member. An absent `config` gives the defaults.
sandbox::Policy policy_from(davit::JsonView config);

// What a session gets beside its settings.
struct Surroundings {
  // Its work, network and files are set by the session; read_only gets the CLI's own folder, hosts that of
  // ANTHROPIC_BASE_URL, where it is passed on.
  sandbox::Policy policy;
  Lookup lookup;  // of the variables that are passed on
  // For all that is told of the session and for the sentence in its Outcome. Called by two threads; must not
  // throw.
  std::function<std::string(std::string_view)> redact;
  std::function<void()> answered = {};  // as in Start
};

// Why the CLI cannot be started, with what to install; empty: it is there. Starts nothing.
std::string lack_of_program(const Settings& settings);

// As run_session(), in a sandbox: the CLI sees the tree it works in as /work, a home of its own that is empty
// and goes away, and of the network its model's host. Nothing that it started is left on return. Each attempt
// to reach a host is a line of the transcript ("network").
//
// Throws davit::Failure: InvalidInput for what the session, the policy or a variable cannot mean; Permanent
// where the sandbox is required and cannot be had; Retryable where the system is short of something. Where it
// is not required, the session runs unconfined and without commands (Bash), and the transcript and the log
// say so.
Outcome run_confined(const Settings& settings, Session session, const Surroundings& surroundings,
                     const davit::Run& run);

// What has to be seen of the disk beside /usr, so that this program runs: the folder of its package if it is
// part of one (package.json), else the file alone; nothing for a program of the system. `program` is where it
// really is, without links.
std::vector<std::filesystem::path> install_of(const std::filesystem::path& program);

// The host and port of "https://host:port/...", as Policy::hosts takes it; nothing for what is no such
// address.
std::optional<std::string> host_of(std::string_view address);

}  // namespace claude
