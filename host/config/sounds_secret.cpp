#include "host/config/sounds_secret.h"

#include <cctype>
#include <string>

namespace davit::config {

bool sounds_secret(std::string_view name) {
  std::string word;
  for (const char c : name)
    word += c == '-' ? '_' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  for (const std::string_view ending : {"secret", "token", "password", "passwd", "passphrase", "api_key",
                                        "apikey", "private_key", "access_key"})
    if (word.ends_with(ending)) return true;
  return false;
}

}  // namespace davit::config
