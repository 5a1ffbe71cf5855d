#include "host/http/error_response.h"

#include "host/base/json.h"

namespace davit::http {

Response problem(int status, std::string_view title, std::string_view detail, std::string_view request_id) {
  JsonBuffer buffer;
  JsonWriter writer(buffer);
  writer.StartObject();
  write_member(writer, "type", "about:blank");
  write_member(writer, "title", title.empty() ? reason_phrase(status) : title);
  write_member(writer, "status", status);
  write_member(writer, "detail", detail);
  write_member(writer, "request_id", request_id);
  writer.EndObject();

  Response response;
  response.status = status;
  response.content_type = "application/problem+json";
  response.body = text_of(buffer);
  response.headers.emplace_back("Cache-Control", "no-store");
  response.close = true;
  return response;
}

}  // namespace davit::http
