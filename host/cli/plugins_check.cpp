// `davit plugins check`: looks at a library for its author. Needs no configuration and no host.
#include <optional>
#include <ostream>
#include <sstream>

#include "host/base/file.h"
#include "host/base/log.h"
#include "host/cli/context.h"
#include "host/cli/table.h"
#include "host/config/quantity.h"
#include "host/conformance/report.h"

namespace davit::cli {
namespace {

constexpr std::uint64_t kUsualSeed = 1;

struct Wants {
  std::string file, strict = "error", only, config, testdata, deadline;
  std::optional<std::uint64_t> seed;
  bool list = false;
};

// JSON, or a file with it.
Result<std::string> config_of(const std::string& given) {
  if (given.empty() || given.front() == '{') return given;
  return read_file(given);
}

Result<int> check(const Context& context, const Wants& wants) {
  using conformance::Severity;
  std::ostream& out = context.surroundings.out;
  if (wants.list) {
    context.json ? conformance::print_rules_json(out) : conformance::print_rules(out);
    return kExitOk;
  }
  if (wants.file.empty()) {
    context.exit_on_failure = kExitUsage;
    return Error{ErrorCode::InvalidInput, "name the library to check, or --list the rules"};
  }
  conformance::ConformanceOptions options;
  options.only = wants.only;
  options.testdata = wants.testdata;
  options.seed = wants.seed.value_or(kUsualSeed);
  options.fuzz_all = wants.seed.has_value();
  context.exit_on_failure = kExitUsage;
  options.config = TRY(config_of(wants.config));
  if (!wants.deadline.empty()) {
    const auto deadline = config::parse_duration(wants.deadline);
    const bool has_unit = wants.deadline.find_first_not_of("0123456789") != std::string::npos;
    if (!deadline || *deadline <= Duration::zero() || !has_unit)
      return Error{ErrorCode::InvalidInput,
                   "--deadline " + wants.deadline + ": write 90s or 5m, for example"};
    options.deadline = *deadline;
  }
  if (!options.config.empty()) {
    if (auto good = check_json(options.config); !good) return at("--config", good.error());
  }
  const Severity strictness = wants.strict == "note"      ? Severity::Note
                              : wants.strict == "warning" ? Severity::Warning
                                                          : Severity::Error;
  // As the host: what a library leaves behind is ended.
  isolation::become_subreaper();
  isolation::KnownChildren children;
  const std::unique_ptr<Log> silent = Log::silent();
  auto report = conformance::check_plugin(wants.file, options, children, *silent);
  if (!report) return report.error();
  context.json ? conformance::print_json(out, *report, strictness)
               : conformance::print(out, *report, strictness);
  return conformance::fails(*report, strictness) ? kExitFailed : kExitOk;
}

}  // namespace

void add_plugins_check(CLI::App& plugins, Context& context) {
  auto wants = std::make_shared<Wants>();
  CLI::App* command =
      add_command(plugins, context, "check", "Check a plugin library of your own, without a host",
                  [&context, wants] { return check(context, *wants); });
  command->add_option("file", wants->file, "The library")->type_name("FILE");
  command->add_option("--strict", wants->strict, "Fail at findings of this severity and above (error)")
      ->check(CLI::IsMember({"error", "warning", "note"}));
  command->add_option("--seed", wants->seed, "Seed of the mutated input; runs all its cases");
  command->add_option("--deadline", wants->deadline, "Longest time for all checks together (2m)")
      ->type_name("DURATION");
  command->add_option("--only", wants->only, "Look for this rule only")->type_name("RULE");
  command->add_option("--config", wants->config, "Config of the instance: JSON, or a file with it")
      ->type_name("JSON|FILE");
  command->add_option("--testdata", wants->testdata, "Folder with NAME.delivery.json and NAME.task.json")
      ->type_name("FOLDER");
  command->add_flag("--list", wants->list, "Print the rules");
  add_json_option(*command, context);
}

}  // namespace davit::cli
