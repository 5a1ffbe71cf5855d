#include "host/config/unknown_key.h"

#include "host/base/nearest_name.h"
#include "host/config/key_docs.h"
#include "host/config/sounds_secret.h"

namespace davit::config {

std::string unknown_key_text(const std::string& section, const std::string& name,
                             const std::vector<std::string>& known) {
  const std::string prefix = section.empty() ? "" : section + ".";
  if (sounds_secret(name))
    return "a secret does not belong in this file; put it in an environment variable or a file of its own, "
           "and name that with secret_env, secret_file, credential or grants";
  if (name.find(':') != std::string::npos) return "a space must follow the colon after a key";
  const std::string best = nearest_name(name, known);
  if (!best.empty()) return "unknown key; did you mean " + prefix + best + "?";
  for (const KeyDoc& doc : key_docs())
    if (doc.path.ends_with("." + name)) return "unknown key here; did you mean " + doc.path + "?";
  std::string all;
  for (const std::string& candidate : known) all += (all.empty() ? "" : ", ") + candidate;
  return "unknown key; known here: " + all;
}

}  // namespace davit::config
