#include "host/app.h"
#include "host/cli/context.h"

namespace davit::cli {

void add_serve(CLI::App& app, Context& context) {
  auto options = std::make_shared<ServeOptions>();
  auto alone = std::make_shared<bool>(false);
  CLI::App* command = add_command(app, context, "serve", "Run the host until SIGTERM or SIGINT",
                                  [&context, options, alone]() -> Result<int> {
                                    options->config = context.config_path();
                                    options->supervise = !*alone;
                                    return context.surroundings.serve(*options);
                                  });
  command->add_flag("--no-supervisor", *alone, "Run the host in this very process, for debuggers");
  command->add_option("--ready-fd", options->ready_fd, "Gets \"ready PORT\" once requests are served")
      ->check(CLI::Range(0, 65535));
  command->add_option("--serving-fd", options->serving_fd, "The supervisor's")
      ->check(CLI::Range(0, 65535))
      ->group("");
  command->add_option("--former-status", options->former_status, "The supervisor's")->group("");
  command->add_option("--former-port", options->former_port, "The supervisor's")
      ->check(CLI::Range(0, 65535))
      ->group("");
}

}  // namespace davit::cli
