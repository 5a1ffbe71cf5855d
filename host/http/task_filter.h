// Which tasks are meant: the same parameters wherever the API asks that.
#pragma once

#include "host/http/query.h"
#include "host/http/response.h"
#include "host/store/store.h"

namespace davit::http {

// Reads agent, status (several), source, entity, link, q, start_date and end_date. Notes what is wrong with
// them; that no others are there is for the caller to check.
store::TaskFilter task_filter_of(Query& query);

// What the store says of a filter, with the parameter at fault named if it is `q` or `cursor`.
Response filter_error_answer(const Error& error, std::string_view request_id);

}  // namespace davit::http
