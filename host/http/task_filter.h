// Which tasks are meant: the same parameters wherever the API asks that.
#pragma once

#include "host/http/query.h"
#include "host/store/store.h"

namespace davit::http {

// Reads agent, status (several), source, entity, link, q, start_date and end_date. Notes what is wrong with
// them; that no others are there is for the caller to check.
store::TaskFilter task_filter_of(Query& query);

}  // namespace davit::http
