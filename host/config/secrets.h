// Secrets, fetched from where the configuration says they are kept. Their values appear in no message.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "host/base/result.h"
#include "host/config/config.h"
#include "host/config/mistake.h"

namespace davit::config {

// Looks up a variable; absent is not the same as empty.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;
Environment process_environment();

using SecretsByName = std::map<std::string, std::string>;

// What deliveries to one webhook may be signed with.
struct SigningSecrets {
  std::vector<std::string> values;  // newest first
  std::vector<int> numbers;         // the place of each in the configuration, from 1
  std::string faults;               // why the others are not among them, without a byte of any
};

struct ResolvedSecrets {
  std::map<std::string, SigningSecrets, std::less<>> webhooks;          // by instance
  std::map<std::string, SecretsByName, std::less<>> webhook_grants;     // by instance
  std::map<std::string, SecretsByName, std::less<>> agent_grants;       // by agent
  std::map<std::string, SecretsByName, std::less<>> agent_environment;  // by agent: variables passed through
  SecretsByName default_grants, default_environment;                    // of agent_defaults
  std::optional<std::string> admin_token;
  std::optional<std::string> reader_token;

  std::vector<Mistake> mistakes;  // the host must not start with it
  // A secret that is empty or too short to sign with: deliveries signed with it are refused. A host that runs
  // keeps the secrets it has instead.
  std::vector<Mistake> unfit;
  std::vector<Mistake>
      notes;  // for the log: a webhook or grant that goes without, a line break that was cut off
};

// Fetches all secrets that enabled webhooks and agents name. A variable or file that does not exist is a note
// (that webhook is off, with the reason); likewise a signing secret that is empty or under 16 bytes is unfit.
// One that everyone on the machine may read is a mistake, and so are unfit tokens and grants.
ResolvedSecrets resolve_secrets(const Config& config, const Environment& environment);

// InvalidInput for a token that no request can show after "Bearer": one with a blank, a control character or
// anything beyond ASCII (RFC 6750 §2.1 allows fewer still, but the others arrive). The sentence begins with
// `holder`, what the token is kept in, and has no byte of it.
Result<> check_token(const std::string& holder, std::string_view token);

// The mistake of giving readers the admin's token, which would make admins of them. `admin_holder` is what that
// is kept in.
std::optional<Mistake> shared_token(const Config& config, const std::string& admin_holder,
                                    std::string_view admin, std::string_view reader);

// One secret from its source: NotFound if it does not exist, InvalidInput if it is unfit. `note` gets a
// sentence when a line break at the end was cut off.
Result<std::string> fetch_secret(const SecretSource& source, std::size_t least_bytes,
                                 const Environment& environment, std::string& note);

}  // namespace davit::config
