#include <davit/abi/version.h>

#include <ostream>

#include "host/cli/context.h"
#include "host/version.h"

namespace davit::cli {

void add_version(CLI::App& app, Context& context) {
  add_command(app, context, "version", "Print the version of davit and of its plugin interface",
              [&context]() -> Result<int> {
                context.surroundings.out << "davit " << kVersion << " (plugin ABI " << DAVIT_ABI_MAJOR << '.'
                                         << DAVIT_ABI_MINOR << ")\n";
                return kExitOk;
              });
}

}  // namespace davit::cli
