// What outlives the host of what was decided and seen while it ran: which instances were switched by command,
// how many executions agents may have, and which bytes served them. Kept in the store's settings.
#pragma once

#include <set>
#include <string>

#include "host/base/result.h"
#include "host/plugin/plugin_store.h"
#include "host/store/store.h"

namespace davit::live {

// Into `rulings`, which keeps what else it holds.
Result<> read_switches(const store::Store& store, plugin::Rulings& rulings);
// Returns when it is committed, in one transaction with the line of the audit log. Not for I/O threads, nor
// for the store's own.
Result<> keep_switches(store::Store& store, const plugin::Rulings& rulings, store::Audited line);

// The numbers of executions that were set by command, likewise.
Result<> read_concurrency(const store::Store& store, plugin::Rulings& rulings);
Result<> keep_concurrency(store::Store& store, const plugin::Rulings& rulings, store::Audited line);

// The generations whose copies the scanner still has; it resumes what files gave. Before its first scan.
Result<plugin::Served> read_served(const store::Store& store, plugin::PluginScanner& scanner);
Result<> keep_served(store::Store& store, const plugin::Served& served);  // as keep_switches, without a line
// Puts what `now` serves to the front, keeps one more generation of each instance to go back to, and forgets
// instances and files that are gone, unless a library may still be on its way (not `all_seen`). True if it
// has to be kept anew.
bool note_served(plugin::Served& served, const plugin::Snapshot& now, bool all_seen);
// Hashes of all of them.
std::set<std::string> hashes_of(const plugin::Served& served);
// Forgets the generations that are not among these hashes.
void drop_unpinned(plugin::Served& served, const std::vector<std::string>& pinned_sha256);

}  // namespace davit::live
