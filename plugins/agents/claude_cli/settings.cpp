#include "claude_cli/settings.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "davit/failure.hpp"

namespace claude {
namespace {

using davit::Failure;
using davit::JsonView;

[[noreturn]] void refuse(std::string_view member, const std::string& what) {
  throw Failure::invalid_input("config.claude." + std::string(member) + ": " + what);
}

bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; });
}

void read(JsonView config, std::string_view member, std::string& into) {
  if (!config.has(member)) return;
  const std::string_view text = config[member].string_or("");
  if (text.empty() || text.size() > 4096 || has_control(text)) refuse(member, "must be a text of one line");
  into = text;
}

std::int64_t whole(JsonView config, std::string_view member, std::int64_t absent, std::int64_t least,
                   std::int64_t most) {
  if (!config.has(member)) return absent;
  const std::int64_t value = config[member].int_or(least - 1);
  if (value < least || value > most)
    refuse(member, "must be a whole number from " + std::to_string(least) + " to " + std::to_string(most));
  return value;
}

void read(JsonView config, std::string_view member, std::chrono::seconds& into) {
  into = std::chrono::seconds(whole(config, member, into.count(), 1, 24 * 3600));
}

double dollars(JsonView value, std::string_view member, double least, double most) {
  const double number = value.number_or(-1);
  if (!(number >= least && number <= most)) refuse(member, "must be an amount of US dollars");
  return number;
}

// The credentials of the host and of its agents' writers stay with them: whatever the session runs could read
// them. What is set for every session cannot be passed as well.
void check_variable(std::string_view name) {
  const auto good = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  };
  if (name.empty() || !std::all_of(name.begin(), name.end(), good) || (name[0] >= '0' && name[0] <= '9'))
    refuse("pass_environment", "'" + std::string(name) + "' is no name of a variable");
  std::string upper(name);
  for (char& c : upper) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  for (const char* part : {"GITHUB", "_GH_", "DAVIT"}) {
    if (("_" + upper).find(part) != std::string::npos)
      refuse("pass_environment",
             std::string(name) + " is not passed on: a session gets no credential but that of its model");
  }
  for (const char* own : {"PATH", "HOME", "TMPDIR", "LANG", "CLAUDE_CONFIG_DIR", "CLAUDECODE", "HTTPS_PROXY",
                          "HTTP_PROXY", "DISABLE_AUTOUPDATER", "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC",
                          "CLAUDE_CODE_SUBPROCESS_ENV_SCRUB"}) {
    if (upper == own) refuse("pass_environment", std::string(name) + " is set for every session already");
  }
}

Price price_from(JsonView json, std::string_view model) {
  const std::string member = "prices." + std::string(model);
  if (!json.is_object()) refuse(member, "must be {input, output, cache_read, cache_write}");
  Price price;
  for (const auto& [name, value] : json.members()) {
    double* into = name == "input"         ? &price.input
                   : name == "output"      ? &price.output
                   : name == "cache_read"  ? &price.cache_read
                   : name == "cache_write" ? &price.cache_write
                                           : nullptr;
    if (!into) refuse(member, "'" + std::string(name) + "' is unknown");
    *into = dollars(value, member + "." + std::string(name), 0, 100'000);
  }
  for (const char* needed : {"input", "output"}) {
    if (!json.has(needed)) refuse(member, std::string(needed) + " is missing");
  }
  if (!json.has("cache_read")) price.cache_read = price.input / 10;
  if (!json.has("cache_write")) price.cache_write = price.input * 1.25;
  return price;
}

std::optional<std::array<int, 3>> version_in(std::string_view text) {
  std::array<int, 3> version{};
  for (std::size_t i = 0; i < version.size(); ++i) {
    if (i > 0) {
      if (text.empty() || text.front() != '.') return std::nullopt;
      text.remove_prefix(1);
    }
    const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), version[i]);
    if (error != std::errc() || version[i] < 0) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(stop - text.data()));
  }
  return version;
}

}  // namespace

// List prices of November 2026, https://platform.claude.com/docs/about-claude/pricing. Where a price depends
// on the length of the prompt it is the higher one; a write to the cache is the one for five minutes.
Prices usual_prices() {
  const auto of = [](double input, double output, double read_part = 0.1) {
    return Price{input, output, input * read_part, input * 1.25};
  };
  return {{"claude-fable-5", of(10, 50)},       {"claude-mythos-5", of(10, 50)},
          {"claude-opus-4", of(15, 75)},        {"claude-opus-4-5", of(5, 25)},
          {"claude-opus-4-6", of(5, 25)},       {"claude-opus-4-7", of(5, 25)},
          {"claude-opus-4-8", of(5, 25)},       {"claude-opus-5", of(5, 25)},
          {"claude-opus-5-5", of(4, 20, 0.05)}, {"claude-sonnet-4", of(3, 15)},
          {"claude-sonnet-5", of(2, 10)},       {"claude-sonnet-5-5", of(2, 10, 0.05)},
          {"claude-haiku-4-5", of(1, 5)},       {"claude-haiku-5-5", of(0.5, 2.5)},
          {"claude-3-7-sonnet", of(3, 15)},     {"claude-3-5-haiku", of(0.8, 4)}};
}

Settings Settings::from(JsonView config) {
  Settings settings;
  if (config.is_null()) return settings;
  if (!config.is_object()) throw Failure::invalid_input("config.claude: must be an object");
  for (const auto& [name, value] : config.members()) {
    static constexpr std::string_view kKnown[] = {
        "path",         "model",         "fallback_model",       "pass_environment", "max_turns", "max_usd",
        "idle_seconds", "start_seconds", "result_grace_seconds", "min_version",      "prices",
        "mcp_config"};
    if (std::find(std::begin(kKnown), std::end(kKnown), name) == std::end(kKnown))
      refuse(davit::to_utf8(name), "is unknown");
  }
  read(config, "path", settings.path);
  if (settings.path.find('/') != std::string::npos && settings.path.front() != '/')
    refuse("path", "a name to be found in PATH, or an absolute path");
  read(config, "model", settings.model);
  read(config, "fallback_model", settings.fallback_model);
  read(config, "min_version", settings.min_version);
  if (!version_in(settings.min_version)) refuse("min_version", "must be a version such as 2.1.0");
  if (config.has("pass_environment") && !config["pass_environment"].is_array())
    refuse("pass_environment", "must be a list of names");
  for (JsonView name : config["pass_environment"]) {
    check_variable(name.string_or(""));
    settings.pass_environment.emplace_back(name.string_or(""));
  }
  settings.max_turns = static_cast<int>(whole(config, "max_turns", settings.max_turns, 1, 1000));
  if (config.has("max_usd")) settings.max_usd = dollars(config["max_usd"], "max_usd", 0.01, 100'000);
  read(config, "idle_seconds", settings.idle);
  read(config, "start_seconds", settings.start);
  read(config, "result_grace_seconds", settings.result_grace);
  if (config.has("prices") && !config["prices"].is_object()) refuse("prices", "must be an object");
  for (const auto& [model, price] : config["prices"].members()) {
    if (model.empty()) refuse("prices", "a model has no name");
    settings.prices[std::string(model)] = price_from(price, model);
  }
  return settings;
}

bool at_least(std::string_view version, std::string_view least) {
  const auto have = version_in(version), need = version_in(least);
  return have && need && *have >= *need;
}

}  // namespace claude
