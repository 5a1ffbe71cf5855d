#include <exception>
#include <ostream>

#include "host/cli/commands.h"
#include "host/cli/context.h"
#include "host/cli/table.h"
#include "host/version.h"

namespace davit::cli {
namespace {

// Errors are one line, whatever the text they quote.
void print_error(const Surroundings& surroundings, const std::string& message) {
  surroundings.error << "davit: " << printable(message) << std::endl;
}

// CLI11's sentences, in one line with the way to help.
int usage_error(const Surroundings& surroundings, const CLI::App& app, const CLI::ParseError& error) {
  std::string text = error.what();
  if (const std::size_t line_break = text.find('\n'); line_break != std::string::npos)
    text.resize(line_break);
  std::string command = "davit";
  const CLI::App* chosen = &app;
  while (!chosen->get_subcommands().empty()) {
    chosen = chosen->get_subcommands().front();
    command += " " + chosen->get_name();
  }
  print_error(surroundings, text + "; `" + command + " --help` shows the usage");
  return kExitUsage;
}

void add_commands(CLI::App& app, Context& context) {
  app.require_subcommand(1);
  app.fallthrough();
  app.add_option("--config", context.config_option,
                 "Configuration file (default $DAVIT_CONFIG or config/davit.yaml)")
      ->type_name("FILE");
  app.add_option("--url", context.url_option, "The running host (default: what the configuration says)")
      ->type_name("URL");
  app.set_help_all_flag("--help-all", "Print the help of all commands");
  app.set_version_flag("--version", "davit " + std::string(kVersion));
  add_init(app, context);
  add_serve(app, context);
  add_check_config(app, context);
  add_reload(app, context);
  add_plugins(app, context);
  add_tasks(app, context);
  add_queue(app, context);
  add_stats(app, context);
  add_deliveries(app, context);
  add_send(app, context);
  add_token(app, context);
  add_audit(app, context);
  add_database(app, context);
  add_version(app, context);
}

}  // namespace

int run(int argc, const char* const* argv, const Surroundings& surroundings) {
  try {
    CLI::App app(
        "davit runs webhook and agent plugins: signed deliveries become durable tasks that agents work on.",
        "davit");
    Context context(surroundings);
    add_commands(app, context);
    try {
      app.parse(argc, argv);
    } catch (const CLI::Success& asked) {  // --help, --version
      return app.exit(asked, surroundings.out, surroundings.error);
    } catch (const CLI::ParseError& error) {
      return usage_error(surroundings, app, error);
    }
    const Result<int> done = context.action();
    surroundings.out.flush();
    if (done.ok()) return *done;
    print_error(surroundings, done.error().message);
    return context.exit_on_failure;
  } catch (const std::exception& error) {
    print_error(surroundings, std::string("cannot go on: ") + error.what());
    return kExitFailed;
  }
}

}  // namespace davit::cli
