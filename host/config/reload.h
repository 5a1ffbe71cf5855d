// What a running host cannot take over from a changed configuration.
#pragma once

#include <string>
#include <vector>

#include "host/config/config.h"

namespace davit::config {

// The keys that differ and wait for a restart, in the order of the file. Everything else is taken over while
// the host runs: webhooks, agents, plugins, chain, log.level, and secrets that lie in files. (A process
// cannot be given other environment variables: those wait for a restart, and nobody can tell.)
std::vector<std::string> waits_for_restart(const Config& running, const Config& wanted);

}  // namespace davit::config
