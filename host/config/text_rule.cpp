#include "host/config/text_rule.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cctype>

#include "host/base/cron.h"
#include "host/base/text.h"

namespace davit::config {
namespace {

bool is_variable_name(std::string_view text) {
  const auto letter = [](char c) { return std::isalpha(static_cast<unsigned char>(c)) || c == '_'; };
  return !text.empty() && text.size() <= 200 && letter(text.front()) &&
         std::all_of(text.begin(), text.end(), [&](char c) { return letter(c) || (c >= '0' && c <= '9'); });
}

// As it is written where it is compared: without scheme, port and path.
bool is_host_name(const std::string& text) {
  return text.size() <= 253 &&
         text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789.-") == std::string::npos &&
         text.find("..") == std::string::npos && text.front() != '.' && text.back() != '.';
}

}  // namespace

std::string_view word_for(TextRule rule) {
  switch (rule) {
    case TextRule::Any:
      return "text";
    case TextRule::Path:
      return "path";
    case TextRule::Address:
      return "IP address";
    case TextRule::HostName:
      return "name of a host";
    case TextRule::VariableName:
      return "name of an environment variable";
    case TextRule::PluginName:
      return "name";
    case TextRule::Sha256:
      return "SHA-256 sum in hexadecimal";
    case TextRule::FileName:
      return "file name";
    case TextRule::Cron:
      return "crontab fields";
  }
  return "text";
}

std::string text_problem(const std::string& text, TextRule rule) {
  if (rule == TextRule::Any) return text.empty() ? "is empty" : "";
  if (rule == TextRule::VariableName)
    return is_variable_name(text)
               ? ""
               : "must be the name of an environment variable (letters, digits, _), not a value";
  if (text.empty()) return "is empty";
  switch (rule) {
    case TextRule::Address:
      if (text == "localhost") return "must be an address; write 127.0.0.1";
      return is_address(text) ? "" : shown(text) + " is not an IP address; write for example 127.0.0.1";
    case TextRule::HostName:
      return is_host_name(text)
                 ? ""
                 : shown(text) + " is not the name of a host; write for example hooks.slack.com";
    case TextRule::PluginName:
      return is_instance_name(text) ? "" : "a name has lower-case letters, digits, - and _ (at most 64)";
    case TextRule::Sha256:
      return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string::npos
                 ? ""
                 : "must be 64 lower-case hexadecimal digits, as sha256sum prints them";
    case TextRule::FileName:
      return text.find('/') == std::string::npos ? "" : "must be a file name without a folder";
    case TextRule::Cron: {
      const auto cron = Cron::parse(text);
      if (!cron.ok()) return cron.error().message;
      return cron->next(WallTime{}) ? "" : shown(text) + " names a day that never comes";
    }
    default:
      return "";
  }
}

TextRule rule_for(SecretSource::Kind kind) {
  switch (kind) {
    case SecretSource::Kind::Environment:
      return TextRule::VariableName;
    case SecretSource::Kind::File:
      return TextRule::Path;
    case SecretSource::Kind::Credential:
      return TextRule::FileName;
  }
  return TextRule::Path;
}

bool is_instance_name(std::string_view text) {
  const auto good = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  return !text.empty() && text.size() <= 64 && good(text.front()) &&
         std::all_of(text.begin(), text.end(), [&](char c) { return good(c) || c == '-' || c == '_'; });
}

bool is_address(const std::string& text) {
  unsigned char bytes[16];
  return inet_pton(AF_INET, text.c_str(), bytes) == 1 || inet_pton(AF_INET6, text.c_str(), bytes) == 1;
}

std::string shown(std::string_view text) {
  constexpr std::size_t kMost = 40;
  return "\"" + std::string(shortened(text, kMost)) + (text.size() > kMost ? "…" : "") + "\"";
}

}  // namespace davit::config
