// The whole host: builds everything in order, stops it in reverse. It hands things over and decides nothing.
#pragma once

#include <filesystem>
#include <string>

#include "host/store/store.h"

namespace davit {

// Exit codes of `davit serve`, beside 0 (orderly end) and 2 (wrong arguments). See README.md.
enum ExitCode {
  kExitFailure = 1,
  kExitConfig = 3,  // the configuration is wrong
  kExitPortInUse = 4,
  kExitStoreMissing = 10,  // the database was there and is gone
  kExitStoreEmpty = 11,
  kExitStoreForeign = 12,  // another program's database, or none at all
  kExitStoreNewer = 13,    // made by a newer davit
  kExitStoreCorrupt = 14,
  kExitStoreInUse = 15,  // another davit runs on it
  kExitStoreReadOnly = 16,
  kExitStoreLinked = 17,
};

// The exit code that tells why a database was refused.
int exit_code_of(store::OpenFailure failure);

struct ServeOptions {
  std::filesystem::path config;
  int ready_fd = -1;  // gets "ready <port>\n" once requests are served, then is closed
  // The supervisor's:
  int serving_fd = -1;     // gets host_news.h, until requests are served
  int former_status = -1;  // how the host before this one ended, as waitpid() says it; -1: not known
  int former_port = 0;     // the one it had; 0: none. Taken again where the configuration names none
  bool supervise = true;   // false: the host in this very process, for debuggers and tests
};

// Serves until SIGTERM or SIGINT. With supervise, the host runs in a child of a small supervisor, which
// starts it again after a crash. Writes one line to stderr for whatever keeps it from serving.
int serve(const ServeOptions& options);

}  // namespace davit
