// The description of the API: openapi.json of this folder, as it is.
#pragma once

#include <string_view>

namespace davit::http {

// OpenAPI 3.1 as JSON text. Lives as long as the program.
std::string_view openapi_document();

}  // namespace davit::http
