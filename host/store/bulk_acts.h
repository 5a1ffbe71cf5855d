// Acts on many tasks, as far as they have come. They live for a day, each as a setting of its own, named by who acts and
// his key, beside one for each step of it. Who has begun as many as are kept of one actor waits until the oldest of
// them is a day old: a key that was answered once is never forgotten before.
//
// A step is decided and what came of it kept in one transaction. So whoever sends the same act again, to this host or
// to the next, is told what was done, and only what was not done is done now.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "host/base/clock.h"
#include "host/store/batch.h"
#include "host/store/database.h"
#include "host/store/decisions.h"
#include "host/store/readers.h"
#include "host/store/store.h"

namespace davit::store {

inline constexpr Duration kBulkActKept{24 * 3'600'000};
inline constexpr std::size_t kMostBulkActs = 500;  // of one actor

// Inside the writer's transaction; see Store. RateLimited, with the time from when on he may, for an actor of whom
// kMostBulkActs are kept.
Result<> begin_bulk_act(Database& database, const BulkAct& act, WallTime now);
Result<BulkProgress> continue_bulk_act(Database& database, Batch& batch, Decisions& decisions,
                                       std::string_view actor, std::string_view key);

std::optional<BulkProgress> read_bulk_act(Reader& reader, std::string_view actor, std::string_view key, WallTime now);

}  // namespace davit::store
