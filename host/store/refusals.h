// What was refused at the door: all of it counted, the newest few kept for a look, none with its body.
#pragma once

#include <string>
#include <vector>

#include "host/store/database.h"
#include "host/store/store.h"

namespace davit::store {

// Of each webhook and cause so many are kept.
inline constexpr int kRefusedKept = 20;

// Adds to the counts, keeps the samples and forgets older ones. Confined to the writer thread.
void note_refusals(Database& database, const std::vector<RefusedDeliveries>& refused);

class Reader;
// Most recent cause first; the samples of each, newest first. An empty webhook or cause means all of them.
Result<std::vector<RefusedDeliveries>> read_refusals(Reader& reader, const Store::RefusalFilter& filter);

}  // namespace davit::store
