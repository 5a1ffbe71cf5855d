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

struct ResolvedSecrets {
  std::map<std::string, std::vector<std::string>, std::less<>>
      webhooks;  // by instance: for signatures, newest first
  std::map<std::string, SecretsByName, std::less<>> webhook_grants;     // by instance
  std::map<std::string, SecretsByName, std::less<>> agent_grants;       // by agent
  std::map<std::string, SecretsByName, std::less<>> agent_environment;  // by agent: variables passed through
  std::optional<std::string> admin_token;
  std::optional<std::string> reader_token;

  std::vector<Mistake> mistakes;  // an unfit secret: the host must not start with it
  std::vector<Mistake>
      notes;  // for the log: a webhook or grant that goes without, a line break that was cut off
};

// Fetches all secrets that enabled webhooks and agents name. A variable or file that does not exist is a note
// (that webhook is off, with the reason); one that is empty, too short to sign with (under 16 bytes) or
// readable by everyone on the machine is a mistake.
ResolvedSecrets resolve_secrets(const Config& config, const Environment& environment);

// One secret from its source: NotFound if it does not exist, InvalidInput if it is unfit. `note` gets a
// sentence when a line break at the end was cut off.
Result<std::string> fetch_secret(const SecretSource& source, std::size_t least_bytes,
                                 const Environment& environment, std::string& note);

}  // namespace davit::config
