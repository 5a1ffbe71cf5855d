// What a text of the configuration must look like.
#pragma once

#include <string>
#include <string_view>

#include "host/config/config.h"

namespace davit::config {

enum class TextRule { Any, Path, Address, HostName, VariableName, PluginName, Sha256, FileName, Cron };

// What is asked for, in a word or two: "IP address".
std::string_view word_for(TextRule rule);

// What is wrong with a text, a part of a sentence, or empty. Of the value of a variable's name it shows
// nothing: it may be the secret itself.
std::string text_problem(const std::string& text, TextRule rule);

// What the name of a place where a secret is kept must look like.
TextRule rule_for(SecretSource::Kind kind);

// The name of a webhook, an agent or a schedule.
bool is_instance_name(std::string_view text);
// IPv4 or IPv6, in numbers.
bool is_address(const std::string& text);

// The beginning of a text in quotes, for messages.
std::string shown(std::string_view text);

}  // namespace davit::config
