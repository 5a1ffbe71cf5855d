#include "host/store/approvals.h"

namespace davit::store {

Approvals::Approvals(Database& database)
    : ask_(database, "INSERT INTO approval (task, asked_at) VALUES (?1, ?2)"),
      end_(database, "DELETE FROM approval WHERE task = ?1") {}

}  // namespace davit::store
