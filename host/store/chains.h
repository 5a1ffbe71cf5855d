// A chain as it is shown: the tasks that came of one, and what they cost together. Reads only.
#pragma once

#include "host/model/task.h"
#include "host/store/readers.h"
#include "host/store/statement.h"

namespace davit::store {

// Fills in all but the agents. `root` is the first of the chain.
void read_chain(Reader& reader, const StoredId& root, Chain& chain);

}  // namespace davit::store
