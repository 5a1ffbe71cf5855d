// What the real sender of a webhook would post, made from a body: for `davit send` and for test events.
//
// A webhook's metadata says how it is signed and where its event and id stand; no sender is known by name. What
// else a sender usually puts into its headers comes from a delivery that was recorded.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "host/base/clock.h"
#include "host/base/result.h"
#include "host/plugin/signature.h"

namespace davit::plugin {

using SentHeaders = std::vector<std::pair<std::string, std::string>>;

// What is to be sent, before it is signed: a body, and the headers that were recorded with it.
struct Sample {
  std::string body;
  SentHeaders headers;
};

// Of {"headers": {…}, "body": "…" or a value}, as the plugins' testdata keep deliveries; either may be absent.
// A body that is no text is its JSON. InvalidInput for headers that are none.
struct RecordedSample {
  Sample sample;
  bool has_headers = false, has_body = false;
};
Result<RecordedSample> read_sample(const JsonValue& document);

// The sample of a webhook's metadata, as an event of this moment; nullopt if it gives none.
std::optional<Sample> own_sample(std::string_view metadata, WallTime now);

// Of a webhook, what its sender needs.
struct Sender {
  std::string webhook;
  std::string event_header, delivery_id_header;  // empty: no header holds it
  std::optional<SignatureScheme> scheme;         // absent: nothing is signed
  bool signs = true;  // false: nothing is signed, and recorded headers of the scheme are left out
};

struct Wishes {
  SentHeaders headers;  // stand in the place of what would be put
  std::string event;    // empty: none is named
  std::string id;       // of the delivery
  // Of the scheme's headers, the one for the signature; empty: the one that was recorded, else the first.
  std::string signature_header;
  std::string user_agent;
};

// Signs a body with whatever key the caller holds.
using Signer = std::function<Result<SignedHeaders>(const SignatureScheme& scheme, std::string_view body,
                                                   const std::string& id)>;

// All headers of the request. Of what was recorded neither id nor time nor signature hold any more, so they
// are made anew. InvalidInput for an event where no header names one, and for a signature header that the
// scheme does not know; what the signer says is passed on.
Result<SentHeaders> headers_as_sent(const Sender& sender, const Sample& sample, const Wishes& wishes,
                                    const Signer& sign_it);

// "application/json", or that of a form: a form begins with the name of a field, JSON never does.
std::string content_type_of(std::string_view body);

// The same event in other bytes, so that it is no repetition of a body that was here before: blanks behind
// JSON, or another field of a form, mean nothing.
std::string in_other_bytes(std::string body);

}  // namespace davit::plugin
