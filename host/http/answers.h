// How API routes answer: JSON documents, lists, and failures as problem documents.
#pragma once

#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "host/base/json.h"
#include "host/base/result.h"
#include "host/http/query.h"
#include "host/http/responder.h"
#include "host/http/response.h"
#include "host/http/router.h"

namespace davit::http {

// 200 (or `status`) with what `write` writes.
Response json_answer(const std::function<void(JsonWriter&)>& write, int status = 200);

// The problem document for an error of ours; the connection stays open.
Response error_answer(const Error& error, std::string_view request_id);

// The same where the sentence may be about a parameter ("cursor: is none"): that is named as the field at fault.
Response list_error_answer(const Error& error, std::string_view request_id);

// 400 with one entry in `errors` per parameter or member at fault.
Response field_errors_answer(const std::vector<FieldError>& errors, std::string_view request_id);

// What answers a GET with a query: `use` reads it and answers; what it found wrong with it is answered
// instead.
std::function<void(Exchange)> with_query(std::function<Response(Exchange&, Query&)> use);

// What answers a request that has no parameters: one that is sent all the same is answered 400.
std::function<void(Exchange)> without_query(std::function<void(Exchange)> answer);

// What answers a request that takes no body: members that are sent all the same are answered 400.
std::function<void(Exchange)> without_body(std::function<void(Exchange)> answer);

}  // namespace davit::http
