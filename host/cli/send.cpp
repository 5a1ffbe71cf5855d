// `davit send`: what the real sender would post, signed as it would sign.
//
// The host describes how a webhook is signed and where its event and id stand; davit knows no sender by name.
// What else a sender usually puts into its headers comes from a recorded delivery.
#include <algorithm>
#include <ostream>

#include "host/base/crypto.h"
#include "host/base/file.h"
#include "host/base/id.h"
#include "host/cli/context.h"
#include "host/cli/table.h"
#include "host/plugin/sender.h"
#include "host/version.h"

namespace davit::cli {
namespace {

struct SendOptions {
  std::string webhook, file, event, delivery_id, private_key, signature_header;
  std::vector<std::string> headers;
  bool again = false;
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

// Nullopt if the text is no recorded delivery, and so is a body itself. `body_file` stands beside it.
Result<std::optional<plugin::Sample>> recorded(const SendOptions& options, const std::string& text) {
  constexpr std::string_view kEnding = ".delivery.json";
  if (!options.file.ends_with(kEnding)) return std::optional<plugin::Sample>();
  const auto document = parse_json(text);
  if (!document) return at(options.file, document.error());
  auto read = plugin::read_sample(*document);
  if (!read) return at(options.file, read.error());
  const std::string body_file = string_member(*document, "body_file");
  if (!read->has_headers || read->has_body == !body_file.empty())
    return Error{
        ErrorCode::InvalidInput,
        options.file + ": a recorded delivery is an object with headers, and with body or body_file"};
  if (!read->has_body) {
    constexpr std::size_t kLimit = 64 << 20;
    read->sample.body = TRY(read_file(std::filesystem::path(options.file).parent_path() / body_file, kLimit));
  }
  return std::optional(std::move(read->sample));
}

bool is_duplicate(const HttpAnswer& answer) {
  const auto said = parse_json(answer.body);
  const JsonValue* details = said.ok() ? find_member(*said, "details") : nullptr;
  return details != nullptr && bool_member(*details, "duplicate");
}

// With the sender's private key, or the secret that both know.
Result<plugin::SignedHeaders> signed_by(const Context& context, const SendOptions& options,
                                        const config::WebhookConfig& webhook,
                                        const plugin::SignatureScheme& scheme, std::string_view body,
                                        const std::string& id) {
  const WallTime now = context.surroundings.clock.wall();
  if (options.private_key.empty())
    return plugin::sign(scheme, body, TRY(secret_of(context, webhook)), id, now);
  constexpr std::size_t kLimit = 64 << 10;
  const std::string text = TRY(read_file(options.private_key, kLimit));
  const auto key = ed25519_private_key(text);
  if (!key) return at(options.private_key, key.error());
  return plugin::sign_ed25519(scheme, body, *key, id, now);
}

Result<int> send(const Context& context, const SendOptions& options) {
  const config::Config config = TRY(context.config());
  const auto found = config.webhooks.find(options.webhook);
  if (found == config.webhooks.end())
    return Error{ErrorCode::NotFound,
                 "no webhook " + options.webhook + " in " + context.config_path().string()};
  const config::WebhookConfig& webhook = found->second;
  plugin::Sample sample{TRY(read_input(context, options.file)), {}};
  if (auto whole = TRY(recorded(options, sample.body))) sample = std::move(*whole);
  if (options.again) sample.body = plugin::in_other_bytes(std::move(sample.body));
  const ApiClient client = TRY(context.client());
  const JsonDocument description = TRY(description_of(client, options.webhook));
  if (string_member(description, "state") == "missing")
    return Error{ErrorCode::NotFound,
                 options.webhook + " does not serve: " + string_member(description, "reason")};
  const plugin::Sender sender{options.webhook, string_member(description, "event_header"),
                              string_member(description, "delivery_id_header"),
                              TRY(scheme_of(description)), !webhook.allow_unsigned};
  if (!sender.scheme && !webhook.allow_unsigned)
    return Error{ErrorCode::NotImplemented,
                 options.webhook +
                     " checks signatures by itself, in a way that is not declared; "
                     "send with the sender's own tool"};
  plugin::Wishes wishes{.headers = {},
                        .event = options.event,
                        .id = options.delivery_id.empty() ? new_id() : options.delivery_id,
                        .signature_header = options.signature_header,
                        .user_agent = "davit-send/" + std::string(kVersion)};
  for (const std::string& header : options.headers) wishes.headers.push_back(TRY(header_from(header)));
  const HttpHeaders headers =
      TRY(plugin::headers_as_sent(sender, sample, wishes,
                                  [&](const plugin::SignatureScheme& scheme, std::string_view body,
                                      const std::string& id) {
                                    return signed_by(context, options, webhook, scheme, body, id);
                                  }));

  const HttpAnswer answer = TRY(client.request("POST", "/webhooks/" + options.webhook, headers, sample.body));
  context.surroundings.out << answer.status << ' ' << printable(answer.body) << '\n';
  if (is_duplicate(answer))
    context.surroundings.error
        << "note: it was here before and counts once; --again sends it as another event, "
           "unless an id of its own stands in its body\n";
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
  command
      ->add_option(
          "file", options->file,
          "Body to send, or - for standard input; NAME.delivery.json is a recorded delivery with headers")
      ->required();
  command->add_option("--event", options->event, "Value of the header that names the event");
  command->add_option("--header", options->headers, "Another header, \"Name: value\"; may be given again")
      ->expected(1)
      ->take_all();
  command->add_option("--signature-header", options->signature_header,
                      "Header for the signature, where the sender has more than one");
  command->add_option("--private-key", options->private_key,
                      "File with the sender's Ed25519 private key, where davit knows the public one only");
  command->add_flag(
      "--again", options->again,
      "Send a body that was sent before as a new event: with blanks, or a field, that mean nothing");
  command->add_option("--delivery-id", options->delivery_id, "Id of the delivery (default: a new one)");
}

}  // namespace davit::cli
