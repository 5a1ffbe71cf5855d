#include "host/ingest/record.h"

#include <strings.h>

#include <algorithm>
#include <utility>

#include "host/base/id.h"
#include "host/base/json.h"
#include "host/ingest/secret_fields.h"
#include "host/plugin/redact.h"
#include "host/plugin/webhook_verification.h"

namespace davit::ingest {
namespace {

bool same_name(std::string_view a, std::string_view b) {
  return a.size() == b.size() && strncasecmp(a.data(), b.data(), a.size()) == 0;
}

bool contains(std::string_view name, std::string_view word) {
  return std::search(name.begin(), name.end(), word.begin(), word.end(),
                     [](char a, char b) { return (a | 0x20) == (b | 0x20); }) != name.end();
}

bool is_secret(const plugin::Webhook& webhook, std::string_view name) {
  for (std::string_view known : {"authorization", "proxy-authorization", "cookie"}) {
    if (same_name(name, known)) return true;
  }
  // Also signatures of other schemes than the one in use (X-Hub-Signature beside X-Hub-Signature-256) and
  // tokens.
  for (std::string_view word : {"signature", "token", "secret", "api-key", "access-key", "pass", "auth",
                                "credential", "session", "jwt"}) {
    if (contains(name, word)) return true;
  }
  // Not in the middle of a word: "design", "signal".
  constexpr std::string_view kSig = "-sig";
  for (std::size_t at = 0; at + kSig.size() <= name.size(); ++at) {
    const std::size_t end = at + kSig.size();
    if (same_name(name.substr(at, kSig.size()), kSig) && (end == name.size() || name[end] == '-'))
      return true;
  }
  // Which one is signed by nobody knows without its plugin.
  if (webhook.state == plugin::ServingState::Missing) {
    constexpr std::string_view kPlain[] = {"host",           "user-agent", "content-type", "content-length",
                                           "content-encoding", "accept",     "accept-encoding"};
    return std::none_of(std::begin(kPlain), std::end(kPlain),
                        [&](std::string_view plain) { return same_name(plain, name); });
  }
  if (!webhook.scheme) return false;
  return std::any_of(webhook.scheme->headers.begin(), webhook.scheme->headers.end(),
                     [&](const std::string& header) { return same_name(header, name); });
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  c |= 0x20;
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// Percent signs resolved, so that to%6ben is no other word than token; what is none stays as it is.
std::string decoded(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int high = text[i] == '%' && i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
    const int low = high >= 0 ? hex_digit(text[i + 2]) : -1;
    plain += low >= 0 ? static_cast<char>(high * 16 + low) : text[i];
    if (low >= 0) i += 2;
  }
  return plain;
}

// More words than for headers, where a harmless X-Event-Key is common and needed when hooks run again.
bool is_secret_parameter(std::string_view name) {
  const std::string plain = decoded(name);
  for (std::string_view word :
       {"token", "secret", "sig", "key", "pass", "pwd", "auth", "credential", "session", "jwt"}) {
    if (contains(plain, word)) return true;
  }
  return false;
}

// Where what deduplication goes by comes from.
enum class KeyFrom { Header, Body, Plugin };

// How long the same body under another id is a replay. Nothing where the id is signed, or where nobody signs
// anything. A body that came without an id is guarded like any other: it may come again with one, and one
// that came with an id may come again without.
std::optional<Duration> replay_window(const plugin::Webhook& webhook, KeyFrom key_from) {
  if (webhook.settings.replay_window.count() == 0 ||
      plugin::who_checks(webhook) == plugin::WhoChecks::Nobody) {
    return std::nullopt;
  }
  if (!webhook.scheme) return webhook.settings.replay_window;  // what the plugin signs is not known
  const plugin::SignatureScheme& scheme = *webhook.scheme;
  // Of an id that the plugin named nobody knows whether it took it from the body or from a header.
  const bool id_is_signed = key_from == KeyFrom::Header &&
                            scheme.signed_text.find("{id}") != std::string::npos &&
                            same_name(scheme.id_header, webhook.delivery_id_header);
  if (id_is_signed) return std::nullopt;
  // A signed time ends the danger by itself: later the same body has been signed again.
  if (scheme.signed_text.find("{timestamp}") != std::string::npos)
    return std::min(webhook.settings.replay_window, 2 * scheme.tolerance);
  return webhook.settings.replay_window;
}

store::NewDelivery basics(const plugin::Webhook& webhook, const VerifiedDelivery& verified) {
  const Delivery& delivery = verified.delivery();
  store::NewDelivery record;
  record.id = delivery.id;
  record.webhook = delivery.webhook;
  record.request_id = delivery.request_id;
  record.delivery_key = verified.delivery_key();
  if (verified.key_is_body_hash()) record.key_window = kBodyHashWindow;
  record.replay_window =
      replay_window(webhook, verified.key_is_body_hash() ? KeyFrom::Body : KeyFrom::Header);
  record.method = delivery.method;
  record.path = delivery.path;
  record.query = query_without_secrets(delivery.query);
  record.headers = headers_json(webhook, delivery);
  const std::vector<std::string_view> types = header_values(delivery, "content-type");
  record.body = without_secrets(delivery.body, types.empty() ? std::string_view() : types.front(),
                                webhook.secret_fields);
  record.remote_address = delivery.remote_address;
  record.received_at = delivery.received_at;
  record.secret_number = verified.secret_number();
  if (webhook.generation) record.plugin_hash = webhook.generation->sha256;
  record.plugin_version = webhook.offer.version;
  return record;
}

std::string timings_json(const plugin::HookTimings& timings) {
  JsonBuffer buffer;
  JsonWriter writer(buffer);
  writer.StartObject();
  auto write = [&](std::string_view name, std::chrono::microseconds took) {
    if (took.count() >= 0) write_member(writer, name, static_cast<std::int64_t>(took.count()));
  };
  write("verify_us", timings.verify);
  write("parse_payload_us", timings.parse);
  write("should_process_us", timings.decide);
  write("handle_us", timings.handle);
  writer.EndObject();
  return std::string(text_of(buffer));
}

}  // namespace

std::string query_without_secrets(std::string_view query) {
  std::string kept;
  while (!query.empty()) {
    const std::size_t end = std::min(query.find_first_of("&;"), query.size());
    const std::string_view parameter = query.substr(0, end);
    const std::size_t equals = parameter.find('=');
    if (equals != std::string_view::npos && is_secret_parameter(parameter.substr(0, equals))) {
      kept.append(parameter.substr(0, equals + 1)).append("(removed)");
    } else {
      kept += parameter;
    }
    if (end < query.size()) kept += query[end];
    query.remove_prefix(std::min(end + 1, query.size()));
  }
  return kept;
}

std::string headers_json(const plugin::Webhook& webhook, const Delivery& delivery) {
  JsonBuffer buffer;
  JsonWriter writer(buffer);
  writer.StartObject();
  for (std::size_t i = 0; i < delivery.headers.size(); ++i) {
    const DeliveryHeader& header = delivery.headers[i];
    auto same = [&](const DeliveryHeader& other) { return same_name(other.name, header.name); };
    auto here = delivery.headers.begin() + static_cast<std::ptrdiff_t>(i);
    if (std::any_of(delivery.headers.begin(), here, same)) continue;  // written with the first of its name
    writer.Key(header.name.data(), static_cast<rapidjson::SizeType>(header.name.size()));
    auto write_value = [&](std::string_view value) {
      if (is_secret(webhook, header.name)) {
        writer.String("(removed)");
      } else if (is_utf8(value)) {
        write_string(writer, value);
      } else {
        writer.String("(not UTF-8)");
      }
    };
    if (std::any_of(here + 1, delivery.headers.end(), same)) {
      writer.StartArray();
      for (const DeliveryHeader& other : delivery.headers) {
        if (same(other)) write_value(other.value);
      }
      writer.EndArray();
    } else {
      write_value(header.value);
    }
  }
  writer.EndObject();
  return std::string(text_of(buffer));
}

Result<plugin::HookOutcome> hide_secrets(const plugin::Webhook& webhook, Result<plugin::HookOutcome> said) {
  if (!said.ok()) {
    Error error = said.error();
    webhook.redactor.redact(error.message);
    return error;
  }
  plugin::redact(webhook.redactor, said->answer);
  webhook.redactor.redact(said->payload_delivery_id);
  return said;
}

WebhookAnswer hide_secrets(const plugin::Webhook& webhook, WebhookAnswer answer) {
  plugin::redact(webhook.redactor, answer);
  return answer;
}

store::NewDelivery record_of(const plugin::Webhook& webhook, const VerifiedDelivery& delivery,
                             plugin::HookOutcome& outcome) {
  store::NewDelivery record = basics(webhook, delivery);
  record.timings = timings_json(outcome.timings);
  // The sender's id may stand in the body, where only the plugin could read it.
  if (!outcome.payload_delivery_id.empty()) {
    record.delivery_key = outcome.payload_delivery_id;
    record.key_window.reset();
    record.replay_window = replay_window(webhook, KeyFrom::Plugin);
  }
  switch (outcome.answer.status) {
    case AnswerStatus::Error:
      record.verdict = store::Verdict::Error;
      break;
    case AnswerStatus::Ignored:
      record.verdict = store::Verdict::Ignored;
      break;
    case AnswerStatus::Queued:
      record.verdict = store::Verdict::Queued;
      break;
  }
  // Tasks speak louder than the word: "queued" means that there is one.
  if (!outcome.answer.tasks.empty()) {
    record.verdict = store::Verdict::Queued;
  } else if (record.verdict == store::Verdict::Queued && outcome.answer.actions.empty()) {
    record.verdict = store::Verdict::Ignored;
  }
  record.answer = outcome.answer;
  // Named here, so that the store can write the delivery with its tasks in one go.
  for (NewTask& task : record.answer.tasks) task.id = new_id();
  return record;
}

store::NewDelivery deferred_record(const plugin::Webhook& webhook, const VerifiedDelivery& delivery,
                                   std::string reason) {
  store::NewDelivery record = basics(webhook, delivery);
  record.verdict = store::Verdict::Deferred;
  record.answer.message = "kept; its webhook looks at it again soon: " + reason;
  return record;
}

store::NewDelivery refused_record(const plugin::Webhook& webhook, const VerifiedDelivery& delivery,
                                  std::string reason) {
  store::NewDelivery record = basics(webhook, delivery);
  record.verdict = store::Verdict::Error;
  record.answer.status = AnswerStatus::Error;
  record.answer.message = std::move(reason);
  return record;
}

void fit_to_agents(std::vector<NewTask>& tasks, const plugin::Snapshot& snapshot) {
  for (NewTask& task : tasks) {
    if (auto agent = snapshot.agent(task.agent)) {
      task.max_retries = agent->max_retries;
      task.awaits_approval = agent->requires_approval;
    }
  }
}

VerifiedDelivery delivery_again(std::shared_ptr<const store::DeferredDelivery> deferred) {
  const store::NewDelivery& stored = deferred->delivery;
  // The views of a Delivery point into what keeps it alive; header texts live in a list beside the row.
  struct Kept {
    std::shared_ptr<const store::DeferredDelivery> row;
    std::vector<std::pair<std::string, std::string>> headers;
  };
  auto kept = std::make_shared<Kept>();
  kept->row = deferred;
  if (auto headers = parse_json(stored.headers); headers && headers->IsObject()) {
    for (const auto& member : std::as_const(*headers).GetObject()) {
      std::string name(member.name.GetString(), member.name.GetStringLength());
      auto add = [&](const JsonValue& value) {
        if (value.IsString())
          kept->headers.emplace_back(name, std::string(value.GetString(), value.GetStringLength()));
      };
      if (member.value.IsArray()) {
        for (const JsonValue& value : member.value.GetArray()) add(value);
      } else {
        add(member.value);
      }
    }
  }
  Delivery delivery;
  delivery.id = stored.id;
  delivery.request_id = stored.request_id;
  delivery.webhook = stored.webhook;
  delivery.method = stored.method;
  delivery.path = stored.path;
  delivery.query = stored.query;
  for (const auto& [name, value] : kept->headers) delivery.headers.push_back({name, value});
  delivery.body = stored.body;
  delivery.remote_address = stored.remote_address;
  delivery.received_at = stored.received_at;
  delivery.bytes = kept;
  return VerifiedDeliveryMaker::make(std::move(delivery), stored.delivery_key, stored.key_window.has_value());
}

}  // namespace davit::ingest
