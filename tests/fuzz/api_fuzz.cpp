// Requests of the API as a client sends them: method and target in the first line, header lines, an empty
// line, the body. They go through the framing to all of the host's routes and to a store with a few tasks,
// with an admin's token where they show none themselves. `{task}` and `{waiting}` stand for the ids of two
// tasks, `{token}` for what the last preview gave.
#include <algorithm>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "host/base/json.h"
#include "host/http/caller.h"
#include "host/http/request_parser.h"
#include "host/http/response.h"
#include "tests/fuzz/fuzz.h"
#include "tests/support/route_parts.h"

namespace {

using davit::fuzz::cut;
using davit::fuzz::promise;
using davit::testing::TestedRoutes;
namespace http = davit::http;

// So many requests one host gets: what they leave in its store is no measure of the API.
constexpr int kRequestsOfAHost = 20'000;
constexpr std::size_t kMostBody = 64u << 10;

class Host {
 public:
  Host() {
    for (const bool waits : {false, true, false}) {
      davit::NewTask task;
      task.agent = "worker";
      task.title = "Fix \"it\", =1+1";
      task.entity = "github:acme/shop#7";
      task.awaits_approval = waits;
      const auto id = davit::testing::wait<std::string>(
          [&](auto done) { parts_.store().create_task(task, "github", {}, done); });
      promise(id.ok(), "a task can be made");
      (waits ? waiting_ : task_) = *id;
    }
  }

  // `text` with what its words stand for.
  std::string filled(std::string_view text) const {
    const std::pair<std::string_view, const std::string*> words[] = {
        {"{task}", &task_}, {"{waiting}", &waiting_}, {"{token}", &token_}};
    std::string whole;
    while (!text.empty()) {
      const auto word = std::find_if(std::begin(words), std::end(words),
                                     [&](const auto& each) { return text.starts_with(each.first); });
      const bool is_word = word != std::end(words);
      whole += is_word ? std::string_view(*word->second) : text.substr(0, 1);
      text.remove_prefix(is_word ? word->first.size() : 1);
    }
    return whole;
  }

  http::Response ask(TestedRoutes::Asked asked) {
    parts_.clock().advance(davit::Duration(1'000));
    auto mail = parts_.first_of(asked, router_);
    promise(mail.has_value(), "each request is answered");
    if (auto* start = std::get_if<http::StreamStart>(&mail->content)) {
      start->stream->end();  // its client goes
      return std::move(start->head);
    }
    promise(std::holds_alternative<http::Response>(mail->content), "an answer comes first");
    http::Response answer = std::get<http::Response>(std::move(mail->content));
    if (asked.path == "/api/tasks/bulk/preview" && answer.status == 200)
      token_ = davit::string_member(*davit::parse_json(answer.body), "token");
    return answer;
  }

 private:
  TestedRoutes parts_;
  http::Router router_ = parts_.router(parts_.routes());
  std::string task_, waiting_, token_;
};

bool is_one_of(int status, std::initializer_list<int> known) {
  return std::find(known.begin(), known.end(), status) != known.end();
}

void check_body(const http::Response& answer) {
  const auto header = [&](std::string_view name) { return davit::testing::header_of(answer, name); };
  if (!header("Content-Encoding").empty()) {
    promise(answer.body.starts_with("\x1f\x8b"), "what says it is packed is");
    return;
  }
  if (answer.content_type == "application/json" || answer.content_type == "application/problem+json") {
    promise(davit::check_json(answer.body, {.max_depth = 80}).ok(), "an answer is JSON");
  } else if (answer.content_type == "application/x-ndjson") {
    for (std::string_view rest = answer.body; !rest.empty();)
      promise(davit::check_json(cut(rest, "\n")).ok(), "each line is JSON");
  } else {
    promise(davit::is_utf8(answer.body), "an answer is UTF-8");
  }
}

// Its head as it goes over the wire.
void check_head(const http::Response& answer) {
  std::string head;
  http::append_head(head, answer, "request", "today", http::Persistence::KeepAlive, answer.body.size());
  promise(head.ends_with("\r\n\r\n") && head.find("\r\n\r\n") == head.size() - 4, "a head ends once");
  promise(static_cast<std::size_t>(std::count(head.begin(), head.end(), '\n')) ==
              static_cast<std::size_t>(std::count(head.begin(), head.end(), '\r')),
          "no value ends its line");
  const std::string link = davit::testing::header_of(answer, "Link");
  promise(std::count(link.begin(), link.end(), '<') <= 1 && std::count(link.begin(), link.end(), '>') <= 1,
          "a link leads to one place");
}

void check(const http::Response& answer) {
  promise(answer.status >= 200 && answer.status < 500, "no request is the host's failure");
  promise(!is_one_of(answer.status, {204, 304}) || answer.body.empty(), "what has no body has none");
  check_head(answer);
  if (!answer.body.empty()) check_body(answer);
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // Made before it is known to whoever cleans up at the end, so that it goes before what it uses.
  static auto host = std::make_unique<Host>();
  static int asked_of_it = 0;
  if (++asked_of_it % kRequestsOfAHost == 0) {
    host.reset();
    host = std::make_unique<Host>();
  }

  const std::string text = host->filled(davit::fuzz::as_text(data, size));
  std::string_view rest = text;
  std::string wire(cut(rest, "\n"));
  wire += " HTTP/1.1\r\nHost: davit\r\n";
  for (std::string_view line = cut(rest, "\n"); !line.empty(); line = cut(rest, "\n"))
    wire.append(line).append("\r\n");
  wire += "Content-Length: " + std::to_string(rest.size()) + "\r\n\r\n";
  wire += rest;
  http::RequestParser parser;
  if (parser.read(wire, [](auto, auto) { return kMostBody; }) != http::RequestParser::State::Complete)
    return 0;  // http_request is about these
  TestedRoutes::Asked asked;
  asked.method = parser.method().in(wire);
  asked.path = parser.path().in(wire);
  asked.query = parser.query().in(wire);
  asked.body = wire.substr(parser.head_size(), parser.request_size() - parser.head_size());
  bool shows_something = false;
  for (const auto& header : parser.headers()) {
    asked.headers.emplace_back(header.name.in(wire), header.value.in(wire));
    shows_something |= http::same_name(asked.headers.back().first, "Authorization") ||
                       http::same_name(asked.headers.back().first, "Cookie");
  }
  if (shows_something) {
    check(host->ask(asked));
    return 0;
  }
  const bool is_api = asked.path.starts_with("/api/") && asked.path != "/api/session";
  const http::Response nobody = host->ask(asked);
  check(nobody);
  promise(!is_api || is_one_of(nobody.status, {401, 404, 405}), "nobody gets nothing");
  asked.headers.emplace_back("Authorization", std::string("Bearer ") + TestedRoutes::kReader);
  if (is_api && http::is_unsafe(asked.method)) {
    const http::Response reader = host->ask(asked);
    check(reader);
    promise(is_one_of(reader.status, {403, 404, 405}), "a reader does not act");
  }
  asked.headers.back().second = std::string("Bearer ") + TestedRoutes::kAdmin;
  const http::Response admin = host->ask(asked);
  check(admin);
  promise(!is_one_of(admin.status, {401, 403}) || !is_api, "an admin may");
  return 0;
}
