// The audit log: rows that are added, read, and go with their age.
#pragma once

#include <string>
#include <type_traits>
#include <utility>

#include "host/model/access.h"
#include "host/store/batch.h"
#include "host/store/database.h"
#include "host/store/store.h"
#include "host/store/writer.h"

namespace davit::store {

// Confined to the writer thread. What is too long of a text is left out. Gives the number of the line.
std::int64_t note_audit(Database& database, const AuditEntry& entry, WallTime now);
// How what was begun came out. A line that has gone with its age meanwhile stays gone.
void end_audit(Database& database, std::int64_t number, std::string_view outcome, std::string_view reason);

// `work`, with a line about how it came out in the same transaction. Of what storage keeps from being done
// nothing is noted: it is not done. A line without an object names what was made, where that has an id.
template <typename T>
typename WriteOf<T>::Work audited(Audited entry, typename WriteOf<T>::Work work) {
  if (!entry) return work;
  return [entry = std::move(*entry), work = std::move(work)](Session& session) {
    Result<T> result = work(session);
    AuditEntry line = entry;
    line.outcome = result.ok() ? "done" : "refused";
    if (!result.ok()) line.reason = result.error().message;
    if constexpr (std::is_same_v<T, std::string>)
      if (result.ok() && line.object.empty()) line.object = result.value();
    note_audit(session.database, line, session.batch.now);
    return result;
  };
}

class Reader;
// Newest first.
Result<Page<AuditEntry>> list_audit(Reader& reader, const AuditFilter& filter);

}  // namespace davit::store
