#include <algorithm>
#include <ostream>

#include "host/base/id.h"
#include "host/cli/context.h"
#include "host/cli/table.h"
#include "host/plugin/signature.h"

namespace davit::cli {
namespace {

struct SendOptions {
  std::string webhook, file, event, delivery_id;
  std::vector<std::string> headers;
};

constexpr std::size_t kLeastSecret = 16;

// The host's description of the webhook: how it is signed, and which headers name the event and the delivery.
Result<JsonDocument> description_of(const ApiClient& client, const std::string& name) {
  const JsonDocument answer = TRY(client.get("/api/dashboard/webhooks"));
  std::string known;
  if (const JsonValue* webhooks = find_member(answer, "webhooks"); webhooks != nullptr && webhooks->IsArray())
    for (const JsonValue& webhook : webhooks->GetArray()) {
      if (string_member(webhook, "name") == name) return parse_json(to_json(webhook));
      known += (known.empty() ? "" : ", ") + string_member(webhook, "name");
    }
  return Error{ErrorCode::NotFound,
               "no webhook " + name + " is known to the host" + (known.empty() ? "" : "; it has " + known)};
}

// Its scheme, wherever the description has it; absent if it declares none.
Result<std::optional<plugin::SignatureScheme>> scheme_of(const JsonValue& webhook) {
  const JsonValue* signature = find_member(webhook, "signature");
  if (signature == nullptr || !signature->IsObject())
    if (const JsonValue* metadata = find_member(webhook, "metadata"); metadata != nullptr)
      signature = find_member(*metadata, "signature");
  if (signature == nullptr || !signature->IsObject()) return std::optional<plugin::SignatureScheme>();
  return std::optional(TRY(plugin::SignatureScheme::from_json(*signature)));
}

// The newest secret that there is.
Result<std::string> secret_of(const Context& context, const config::WebhookConfig& webhook) {
  if (webhook.secrets.empty())
    return Error{ErrorCode::InvalidInput,
                 "webhooks." + webhook.instance +
                     " names no secret to sign with; set secret_env or secret_file in " +
                     context.config_path().string()};
  std::string note, causes;
  for (const config::SecretSource& source : webhook.secrets) {
    auto secret = config::fetch_secret(source, kLeastSecret, context.surroundings.environment, note);
    if (secret.ok()) return secret;
    causes += (causes.empty() ? "" : "; ") + secret.error().message;
  }
  return Error{ErrorCode::InvalidInput, "there is no secret to sign with: " + causes};
}

Result<std::pair<std::string, std::string>> header_from(const std::string& text) {
  const std::size_t colon = text.find(':');
  const std::string name = text.substr(0, colon);
  const auto good = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  };
  if (colon == std::string::npos || name.empty() || !std::all_of(name.begin(), name.end(), good))
    return Error{ErrorCode::InvalidInput, "--header \"" + text + "\" is not \"Name: value\""};
  const std::size_t value = text.find_first_not_of(" \t", colon + 1);
  return std::pair(name, value == std::string::npos ? std::string() : text.substr(value));
}

bool same_name(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

// What --header says takes the place of what we would have put.
void put(HttpHeaders& headers, const std::string& name, const std::string& value) {
  const bool given = std::any_of(headers.begin(), headers.end(),
                                 [&](const auto& header) { return same_name(header.first, name); });
  if (!given && !name.empty()) headers.emplace_back(name, value);
}

Result<int> send(const Context& context, const SendOptions& options) {
  const config::Config config = TRY(context.config());
  const auto found = config.webhooks.find(options.webhook);
  if (found == config.webhooks.end())
    return Error{ErrorCode::NotFound,
                 "no webhook " + options.webhook + " in " + context.config_path().string()};
  const config::WebhookConfig& webhook = found->second;
  const std::string body = TRY(read_input(context, options.file));
  const ApiClient client = TRY(context.client());
  const JsonDocument description = TRY(description_of(client, options.webhook));
  const auto scheme = TRY(scheme_of(description));

  HttpHeaders headers;
  for (const std::string& header : options.headers) headers.push_back(TRY(header_from(header)));
  const std::string id = options.delivery_id.empty() ? new_id() : options.delivery_id;
  put(headers, "Content-Type", "application/json");
  put(headers, string_member(description, "delivery_id_header"), id);
  if (!options.event.empty()) {
    const std::string event_header = string_member(description, "event_header");
    if (event_header.empty())
      return Error{ErrorCode::InvalidInput,
                   "deliveries to " + options.webhook + " name no event in a header; leave --event out"};
    put(headers, event_header, options.event);
  }
  if (scheme && !webhook.allow_unsigned) {
    const std::string secret = TRY(secret_of(context, webhook));
    const plugin::SignedHeaders made =
        TRY(plugin::sign(*scheme, body, secret, id, context.surroundings.clock.wall()));
    for (const auto& [name, value] : made.headers) put(headers, name, value);
  } else if (!webhook.allow_unsigned) {
    return Error{ErrorCode::NotImplemented,
                 options.webhook +
                     " checks signatures by itself, in a way that is not declared; "
                     "send with the sender's own tool"};
  }

  const HttpAnswer answer = TRY(client.request("POST", "/webhooks/" + options.webhook, headers, body));
  context.surroundings.out << answer.status << ' ' << printable(answer.body) << '\n';
  if (answer.status >= 200 && answer.status < 300) return kExitOk;
  return Error{ErrorCode::InvalidInput,
               "the delivery was refused with " + std::to_string(answer.status) + "; the answer says why"};
}

}  // namespace

void add_send(CLI::App& app, Context& context) {
  auto options = std::make_shared<SendOptions>();
  CLI::App* command =
      add_command(app, context, "send", "Sign a file as the real sender would, and post it to a webhook",
                  [&context, options] { return send(context, *options); });
  command->add_option("webhook", options->webhook, "Webhook, as in the configuration")->required();
  command->add_option("file", options->file, "Body to send, or - for standard input")->required();
  command->add_option("--event", options->event, "Value of the header that names the event");
  command->add_option("--header", options->headers, "Another header, \"Name: value\"; may be given again")
      ->expected(1)
      ->take_all();
  command->add_option("--delivery-id", options->delivery_id, "Id of the delivery (default: a new one)");
}

}  // namespace davit::cli
