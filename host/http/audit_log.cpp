#include "host/http/audit_log.h"

#include <utility>

#include "host/base/json.h"
#include "host/base/text.h"
#include "host/http/caller.h"
#include "host/store/committed.h"

namespace davit::http {
namespace {

constexpr std::size_t kMostObject = 256;  // of those who may not: they have said it, and nobody has looked at it

}  // namespace

void Act::about(std::string object, std::string parameters) {
  line_.object = std::move(object);
  line_.parameters = std::move(parameters);
}

AuditEntry Act::take() {
  has_line_ = true;
  return line_;
}

Result<> Act::begin() {
  begun_ = TRY(store::committed<std::int64_t>(
      [&](store::Done<std::int64_t> done) { store_.begin_audit(line_, std::move(done)); }));
  return {};
}

void Act::answered(const Response& response) {
  if (!refusal_.empty()) return ended("refused", std::move(refusal_));
  std::string reason;
  if (response.status >= 400) {
    if (const auto problem = parse_json(response.body); problem.ok())
      reason = string_member(*problem, "detail");
  }
  ended(response.status < 400 ? "done" : response.status < 500 ? "refused" : "failed", std::move(reason));
}

void Act::ended(std::string outcome, std::string reason) {
  if (std::exchange(has_line_, true)) return;
  if (begun_) return store_.end_audit(*begun_, std::move(outcome), std::move(reason));
  line_.outcome = std::move(outcome);
  line_.reason = std::move(reason);
  store_.note_audit(std::move(line_), {});
}

std::function<store::Audited()> line_of(std::shared_ptr<Act> act) {
  return [act = std::move(act)] { return act ? store::Audited(act->take()) : std::nullopt; };
}

std::string act_parameters(
    std::initializer_list<std::pair<std::string_view, std::string_view>> names_and_texts) {
  JsonBuffer buffer;
  JsonWriter writer(buffer);
  writer.StartObject();
  for (const auto& [name, text] : names_and_texts)
    if (!text.empty()) write_member(writer, name, text);
  writer.EndObject();
  return std::string(text_of(buffer));
}

AuditLog::AuditLog(store::Store& store, const Clock& clock, TrustedProxies proxies)
    : store_(store), clock_(clock), proxies_(std::move(proxies)) {}

std::shared_ptr<Act> AuditLog::begin(std::string_view operation, const Request& request,
                                     const Caller& caller) const {
  AuditEntry line;
  line.actor = caller.name;
  line.way = way_of(caller);
  line.operation = operation;
  line.address = address_of(request);
  line.request_id = request.request_id;
  return std::make_shared<Act>(store_, std::move(line));
}

void AuditLog::denied(std::string_view operation, const Request& request, const Denial& denial) {
  const std::optional<std::int64_t> unrecorded =
      (denial.actor.empty() ? of_strangers_ : of_known_).with([&](Denials& denials) -> std::optional<std::int64_t> {
        if (denials.bucket.take(kDeniedEach, kDeniedAtOnce, clock_.monotonic()).count() > 0) {
          ++denials.unrecorded;
          return std::nullopt;
        }
        return std::exchange(denials.unrecorded, 0);
      });
  if (!unrecorded) return;
  AuditEntry line;
  line.actor = denial.actor;
  line.way = denial.way;
  line.operation = operation;
  line.object = shortened(denial.object, kMostObject);
  line.outcome = "denied";
  line.reason = denial.reason;
  line.address = address_of(request);
  line.request_id = request.request_id;
  line.unrecorded = *unrecorded;
  store_.note_audit(std::move(line), {});
}

std::string AuditLog::address_of(const Request& request) const { return client_address(request, proxies_); }

}  // namespace davit::http
