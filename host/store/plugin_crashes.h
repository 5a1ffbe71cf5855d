// Crashes of plugins and the quarantine they lead to. Writes are confined to the writer thread.
#pragma once

#include <string>
#include <vector>

#include "host/store/database.h"
#include "host/store/store.h"

namespace davit::store {

// True if these bytes are in quarantine from now on and were not before.
bool note_crash(Database& database, const PluginCrash& crash, const QuarantineRule& rule);
void clear_crashes(Database& database, const std::string& sha256);

class Reader;
Result<std::vector<Quarantine>> read_quarantines(Reader& reader);

}  // namespace davit::store
