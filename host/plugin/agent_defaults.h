// What is decided for all agents at once, and which of it one agent gets.
#pragma once

#include "host/plugin/metadata.h"
#include "host/plugin/settings.h"

namespace davit::plugin {

// The settings of an agent with what it gets of the defaults: secrets that its metadata asks for by name,
// variables, and members of `config` that are properties of its schema. What its own settings say of a
// secret, a variable or a member counts as a whole.
AgentSettings with_defaults(AgentSettings own, const AgentDefaults& defaults, const AgentMetadata& metadata);

// Does the schema of an agent (its text, or empty) have the property?
bool has_property(const std::string& config_schema, std::string_view name);

}  // namespace davit::plugin
