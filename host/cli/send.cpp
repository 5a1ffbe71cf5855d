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
#include "host/plugin/signature.h"
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

// What is sent before it is signed: a body, and the headers that go with it.
struct Message {
  std::string body;
  HttpHeaders headers;
};

// A recorded delivery, as the plugins' testdata keep them: {"headers": {…}, "body": "…" or a value, or
// "body_file": "…" beside it}. Nullopt if the text is none, and so is a body itself.
Result<std::optional<Message>> recorded(const SendOptions& options, const std::string& text) {
  constexpr std::string_view kEnding = ".delivery.json";
  if (!options.file.ends_with(kEnding)) return std::optional<Message>();
  const auto parsed = parse_json(text);
  if (!parsed) return at(options.file, parsed.error());
  const JsonValue& document = *parsed;
  const JsonValue* headers = find_member(document, "headers");
  const JsonValue* body = find_member(document, "body");
  const std::string body_file = string_member(document, "body_file");
  if (headers == nullptr || !headers->IsObject() || (body == nullptr) == body_file.empty())
    return Error{
        ErrorCode::InvalidInput,
        options.file + ": a recorded delivery is an object with headers, and with body or body_file"};
  Message message;
  for (const auto& header : headers->GetObject()) {
    if (!header.value.IsString())
      return Error{ErrorCode::InvalidInput, options.file + ": the values of headers must be texts"};
    message.headers.emplace_back(header.name.GetString(), header.value.GetString());
  }
  if (body == nullptr) {
    constexpr std::size_t kLimit = 64 << 20;
    message.body = TRY(read_file(std::filesystem::path(options.file).parent_path() / body_file, kLimit));
  } else {
    message.body =
        body->IsString() ? std::string(body->GetString(), body->GetStringLength()) : to_json(*body);
  }
  return std::optional(std::move(message));
}

// Forms begin with the name of a field, JSON never does.
std::string content_type_of(const std::string& body) {
  const std::size_t begin = body.find_first_not_of(" \t\r\n");
  const bool is_form = begin != std::string::npos && std::isalpha(static_cast<unsigned char>(body[begin])) &&
                       body.find('=') != std::string::npos;
  return is_form ? "application/x-www-form-urlencoded" : "application/json";
}

// The same event in other bytes, so that it is no repetition of a body that was here before: blanks behind
// JSON, or another field of a form, mean nothing.
std::string in_other_bytes(std::string body) {
  if (content_type_of(body) != "application/json") return body + "&davit_again=" + new_id();
  body += '\n';
  for (const char byte : random_bytes(8))
    for (int bit = 0; bit < 8; ++bit) body += (byte >> bit) & 1 ? ' ' : '\t';
  return body;
}

bool is_duplicate(const HttpAnswer& answer) {
  const auto said = parse_json(answer.body);
  const JsonValue* details = said.ok() ? find_member(*said, "details") : nullptr;
  return details != nullptr && bool_member(*details, "duplicate");
}

// As the options want it signed: in the header they name, or that was recorded. The last header is the
// signature.
Result<plugin::SignedHeaders> signed_headers(const Context& context, const SendOptions& options,
                                             const config::WebhookConfig& webhook,
                                             const plugin::SignatureScheme& scheme, const Message& message,
                                             const std::string& id) {
  const std::string& body = message.body;
  const WallTime now = context.surroundings.clock.wall();
  plugin::SignedHeaders made;
  if (options.private_key.empty()) {
    const std::string secret = TRY(secret_of(context, webhook));
    made = TRY(plugin::sign(scheme, body, secret, id, now));
  } else {
    constexpr std::size_t kLimit = 64 << 10;
    const std::string text = TRY(read_file(options.private_key, kLimit));
    const auto key = ed25519_private_key(text);
    if (!key) return at(options.private_key, key.error());
    made = TRY(plugin::sign_ed25519(scheme, body, *key, id, now));
  }
  std::string known;
  for (const std::string& name : scheme.headers) {
    const bool was_recorded = std::any_of(message.headers.begin(), message.headers.end(),
                                          [&](const auto& header) { return same_name(header.first, name); });
    if (options.signature_header.empty() ? was_recorded : same_name(name, options.signature_header)) {
      made.headers.back().first = name;
      return made;
    }
    known += (known.empty() ? "" : ", ") + name;
  }
  if (options.signature_header.empty()) return made;
  return Error{ErrorCode::InvalidInput, "--signature-header " + options.signature_header +
                                            ": deliveries to " + options.webhook + " are signed in " + known};
}

Result<int> send(const Context& context, const SendOptions& options) {
  const config::Config config = TRY(context.config());
  const auto found = config.webhooks.find(options.webhook);
  if (found == config.webhooks.end())
    return Error{ErrorCode::NotFound,
                 "no webhook " + options.webhook + " in " + context.config_path().string()};
  const config::WebhookConfig& webhook = found->second;
  Message message{TRY(read_input(context, options.file)), {}};
  if (auto whole = TRY(recorded(options, message.body))) message = std::move(*whole);
  if (options.again) message.body = in_other_bytes(std::move(message.body));
  const std::string& body = message.body;
  const ApiClient client = TRY(context.client());
  const JsonDocument description = TRY(description_of(client, options.webhook));
  if (string_member(description, "state") == "missing")
    return Error{ErrorCode::NotFound,
                 options.webhook + " does not serve: " + string_member(description, "reason")};
  const auto scheme = TRY(scheme_of(description));

  HttpHeaders headers;
  for (const std::string& header : options.headers) headers.push_back(TRY(header_from(header)));
  const std::string id = options.delivery_id.empty() ? new_id() : options.delivery_id;
  put(headers, string_member(description, "delivery_id_header"), id);
  if (!options.event.empty()) {
    const std::string event_header = string_member(description, "event_header");
    if (event_header.empty())
      return Error{ErrorCode::InvalidInput,
                   "deliveries to " + options.webhook + " name no event in a header; leave --event out"};
    put(headers, event_header, options.event);
  }
  if (scheme && !webhook.allow_unsigned) {
    const plugin::SignedHeaders made = TRY(signed_headers(context, options, webhook, *scheme, message, id));
    for (const auto& [name, value] : made.headers) put(headers, name, value);
  } else if (!webhook.allow_unsigned) {
    return Error{ErrorCode::NotImplemented,
                 options.webhook +
                     " checks signatures by itself, in a way that is not declared; "
                     "send with the sender's own tool"};
  }
  // Of what was recorded neither id nor time nor signature hold any more, and those stand already.
  for (const auto& [name, value] : message.headers) {
    const bool of_signature =
        scheme && std::any_of(scheme->headers.begin(), scheme->headers.end(),
                              [&, &name = name](const auto& one) { return same_name(one, name); });
    if (!of_signature) put(headers, name, value);
  }
  put(headers, "Content-Type", content_type_of(body));
  put(headers, "User-Agent", "davit-send/" + std::string(kVersion));

  const HttpAnswer answer = TRY(client.request("POST", "/webhooks/" + options.webhook, headers, body));
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
