#include "host/http/execution_routes.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <optional>

#include "host/http/answers.h"
#include "host/http/json.h"
#include "host/http/query.h"

namespace davit::http {
namespace {

constexpr int kMostNumber = 2'000'000'000;

constexpr std::size_t kMostTranscriptBytes = 8u << 20;  // of one answer; of one execution it may be more
constexpr std::size_t kLineBytes = 128;                 // of a line beside its text

std::size_t bytes_of(const std::vector<store::TranscriptLine>& lines) {
  std::size_t bytes = 0;
  for (const store::TranscriptLine& line : lines) bytes += line.kind.size() + line.text.size() + kLineBytes;
  return bytes;
}

// The lines of each execution, oldest execution first; `limit` is the most lines of one execution. `session`
// chooses one of them; `after`, for following, those behind a line of it or else of the newest, and `before`, for
// reading back, the newest before one. However many executions there are, the answer has an end: the newest is told
// whole, and those before it only as far as there is room for all of their lines; from there on they are marked, to
// be asked for one by one.
Response transcript_answer(const store::Store& store, const Exchange& exchange) {
  const std::string& request_id = exchange.request.request_id;
  auto query = Query::parse(exchange.request.query);
  if (!query) return list_error_answer(query.error(), request_id);
  query->allow_only({"limit", "session", "after", "before"});
  const int limit = query->whole_number("limit", 500, 1, 5'000);
  const int after = query->whole_number("after", -1, 0, kMostNumber);
  const int before = query->whole_number("before", -1, 1, kMostNumber);
  if (after >= 0 && before >= 0) query->fail("before", "cannot be given together with after");
  const std::string session = query->text("session");
  if (!query->errors().empty()) return field_errors_answer(query->errors(), request_id);
  auto detail = store.task(exchange.segments.front());
  if (!detail) return error_answer(detail.error(), request_id);

  store::TranscriptPlace place;
  if (after >= 0) place.after = after;
  if (before >= 0) place.before = before;
  const bool only_newest = session.empty() && (after >= 0 || before >= 0);
  const std::vector<AgentExecution>& executions = detail->executions;
  std::vector<Said> said;
  std::size_t bytes = 0;
  for (auto execution = executions.rbegin(); execution != executions.rend(); ++execution) {
    const bool newest = execution == executions.rbegin();
    if (only_newest ? !newest : !session.empty() && execution->session_id != session) continue;
    if (bytes >= kMostTranscriptBytes) {
      said.push_back({*execution, {}, true});
      continue;
    }
    auto lines = store.transcript(execution->session_id, limit, place);
    if (!lines) return error_answer(lines.error(), request_id);
    bytes += bytes_of(*lines);
    const bool fits = said.empty() || bytes <= kMostTranscriptBytes;
    said.push_back({*execution, fits ? std::move(*lines) : std::vector<store::TranscriptLine>(), !fits});
  }
  const std::vector<Said> in_order(std::make_move_iterator(said.rbegin()),
                                   std::make_move_iterator(said.rend()));
  if (said.empty() && !session.empty()) {
    return error_answer({ErrorCode::NotFound, "session " + session + " is none of this task"}, request_id);
  }
  return json_answer([&](JsonWriter& writer) { write_transcript(writer, detail->task.task_id, in_order); });
}

Response artifacts_answer(const store::Store& store, const Exchange& exchange) {
  auto artifacts = store.artifacts(exchange.segments.front());
  if (!artifacts) return error_answer(artifacts.error(), exchange.request.request_id);
  return json_answer(
      [&](JsonWriter& writer) { write_artifacts(writer, exchange.segments.front(), *artifacts); });
}

// What an agent made is never shown by a browser as if it were ours: it is saved, and only what can do
// nothing keeps its type.
std::string_view type_to_serve(std::string_view claimed) {
  static constexpr std::array<std::string_view, 3> kHarmless{"text/plain", "application/json", "image/png"};
  for (std::string_view type : kHarmless)
    if (claimed == type || (claimed.starts_with(type) && claimed[type.size()] == ';')) return type;
  return "application/octet-stream";
}

// RFC 6266: a plain name for old clients, the true one percent-encoded beside it.
std::string attachment(std::string_view name) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string plain, encoded;
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    const bool safe = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                      c == '.' || c == '-' || c == '_';
    plain += safe ? c : '_';
    if (safe) {
      encoded += c;
    } else {
      encoded += {'%', kDigits[byte >> 4], kDigits[byte & 15]};
    }
  }
  return "attachment; filename=\"" + plain + "\"; filename*=UTF-8''" + encoded;
}

Response artifact_answer(const store::Store& store, const Exchange& exchange) {
  const std::string& request_id = exchange.request.request_id;
  const auto name = percent_decoded(exchange.segments.at(2));
  if (!name) return error_answer(name.error(), request_id);
  auto artifact = store.artifact(exchange.segments.at(0), exchange.segments.at(1), *name);
  if (!artifact) return error_answer(artifact.error(), request_id);
  Response response;
  response.content_type = type_to_serve(artifact->content_type);
  if (response.content_type == "text/plain") response.content_type += "; charset=utf-8";
  response.headers = {{"Content-Disposition", attachment(artifact->name)},
                      {"Content-Security-Policy", "default-src 'none'; sandbox"},
                      {"Cache-Control", "no-store"}};
  response.body = std::move(artifact->content);
  return response;
}

Route reader(std::string operation, std::string pattern, const store::Store& store,
             Response (*answer)(const store::Store&, const Exchange&)) {
  return Route{"GET",
               std::move(pattern),
               Access::Reader,
               Thread::Worker,
               [&store, answer](Exchange exchange) {
                 Response response = answer(store, exchange);
                 exchange.responder.send(std::move(response));
               },
               std::move(operation)};
}

}  // namespace

std::vector<Route> execution_routes(const store::Store& store) {
  std::vector<Route> routes{
      reader("getTranscript", "/api/dashboard/tasks/{}/transcript", store, &transcript_answer),
      reader("listArtifacts", "/api/dashboard/tasks/{}/artifacts", store, &artifacts_answer),
      reader("getArtifact", "/api/dashboard/tasks/{}/artifacts/{}/{}", store, &artifact_answer)};
  for (auto route = routes.begin() + 1; route != routes.end(); ++route)
    route->answer = without_query(std::move(route->answer));
  return routes;
}

}  // namespace davit::http
