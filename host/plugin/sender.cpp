#include "host/plugin/sender.h"

#include <algorithm>
#include <cctype>

#include "host/base/crypto.h"
#include "host/base/id.h"

namespace davit::plugin {
namespace {

constexpr std::string_view kTimestamp = "{timestamp}";

bool same_name(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

bool holds(const SentHeaders& headers, std::string_view name) {
  return std::any_of(headers.begin(), headers.end(),
                     [&](const auto& header) { return same_name(header.first, name); });
}

// What stands there already wins.
void put(SentHeaders& headers, const std::string& name, const std::string& value) {
  if (!name.empty() && !holds(headers, name)) headers.emplace_back(name, value);
}

// The last header that a scheme makes is the signature; it goes where the sender has it.
Result<> name_signature(SignedHeaders& made, const SignatureScheme& scheme, const Sender& sender,
                        const Sample& sample, const std::string& wanted) {
  std::string known;
  for (const std::string& name : scheme.headers) {
    if (wanted.empty() ? holds(sample.headers, name) : same_name(name, wanted)) {
      made.headers.back().first = name;
      return {};
    }
    known += (known.empty() ? "" : ", ") + name;
  }
  if (wanted.empty()) return {};
  return Error{ErrorCode::InvalidInput,
               "no signature goes into " + wanted + ": deliveries to " + sender.webhook + " are signed in " + known};
}

}  // namespace

Result<RecordedSample> read_sample(const JsonValue& document) {
  RecordedSample read;
  if (!document.IsObject()) return read;
  if (const JsonValue* headers = find_member(document, "headers")) {
    if (!headers->IsObject()) return Error{ErrorCode::InvalidInput, "headers must be an object of texts"};
    for (const auto& header : headers->GetObject()) {
      if (!header.value.IsString())
        return Error{ErrorCode::InvalidInput, "the values of headers must be texts"};
      read.sample.headers.emplace_back(
          std::string(header.name.GetString(), header.name.GetStringLength()),
          std::string(header.value.GetString(), header.value.GetStringLength()));
    }
    read.has_headers = true;
  }
  if (const JsonValue* body = find_member(document, "body")) {
    read.sample.body =
        body->IsString() ? std::string(body->GetString(), body->GetStringLength()) : to_json(*body);
    read.has_body = true;
  }
  return read;
}

std::optional<Sample> own_sample(std::string_view metadata, WallTime now) {
  const auto document = parse_json(metadata);
  const JsonValue* member = document.ok() && document->IsObject() ? find_member(*document, "sample") : nullptr;
  if (member == nullptr) return std::nullopt;
  auto read = read_sample(*member);
  if (!read.ok()) return std::nullopt;
  const std::string seconds = std::to_string(to_unix_ms(now) / 1000);
  const auto fill_in = [&](std::string& text) {
    for (std::size_t at = 0; (at = text.find(kTimestamp, at)) != std::string::npos; at += seconds.size())
      text.replace(at, kTimestamp.size(), seconds);
  };
  fill_in(read->sample.body);
  for (auto& [name, value] : read->sample.headers) fill_in(value);
  return std::move(read->sample);
}

Result<SentHeaders> headers_as_sent(const Sender& sender, const Sample& sample, const Wishes& wishes,
                                    const Signer& sign_it) {
  SentHeaders headers = wishes.headers;
  put(headers, sender.delivery_id_header, wishes.id);
  if (!wishes.event.empty()) {
    if (sender.event_header.empty())
      return Error{ErrorCode::InvalidInput,
                   "deliveries to " + sender.webhook + " name no event in a header; leave the event out"};
    put(headers, sender.event_header, wishes.event);
  }
  if (sender.scheme && sender.signs) {
    SignedHeaders made = TRY(sign_it(*sender.scheme, sample.body, wishes.id));
    TRY(name_signature(made, *sender.scheme, sender, sample, wishes.signature_header));
    for (const auto& [name, value] : made.headers) put(headers, name, value);
  }
  for (const auto& [name, value] : sample.headers) {
    const bool of_signature = sender.scheme && std::any_of(sender.scheme->headers.begin(),
                                                           sender.scheme->headers.end(),
                                                           [&, &name = name](const std::string& one) {
                                                             return same_name(one, name);
                                                           });
    if (!of_signature) put(headers, name, value);
  }
  put(headers, "Content-Type", content_type_of(sample.body));
  put(headers, "User-Agent", wishes.user_agent);
  return headers;
}

std::string content_type_of(std::string_view body) {
  const std::size_t begin = body.find_first_not_of(" \t\r\n");
  const bool is_form = begin != std::string_view::npos &&
                       std::isalpha(static_cast<unsigned char>(body[begin])) != 0 &&
                       body.find('=') != std::string_view::npos;
  return is_form ? "application/x-www-form-urlencoded" : "application/json";
}

std::string in_other_bytes(std::string body) {
  if (content_type_of(body) != "application/json") return body + "&davit_again=" + new_id();
  body += '\n';
  for (const char byte : random_bytes(8))
    for (int bit = 0; bit < 8; ++bit) body += (byte >> bit) & 1 ? ' ' : '\t';
  return body;
}

}  // namespace davit::plugin
