#include <ostream>

#include "host/base/file.h"
#include "host/cli/context.h"
#include "host/cli/database_file.h"
#include "host/cli/shipped_config.h"
#include "host/cli/table.h"

namespace davit::cli {
namespace {

Result<int> init(const Context& context) {
  std::ostream& out = context.surroundings.out;
  const std::filesystem::path path = context.config_path();
  std::error_code ignored;
  if (std::filesystem::exists(path, ignored)) {
    out << "Kept " << printable(path.string()) << '\n';
  } else {
    if (path.has_parent_path()) TRY(ensure_private_directory(path.parent_path()));
    TRY(write_file_atomically(path, kShippedConfig, 0644));
    out << "Wrote " << printable(path.string()) << '\n';
  }
  const config::Config config = TRY(context.config());
  const std::filesystem::path database = config.storage.path;
  const bool was_there = std::filesystem::exists(database, ignored);
  if (database.has_parent_path()) TRY(ensure_private_directory(database.parent_path()));
  static_cast<void>(TRY(DatabaseFile::open(context, Access::Create)));
  out << (was_there ? "Kept " : "Made ") << printable(database.string()) << '\n';
  out << "Next: davit serve\n";
  return kExitOk;
}

}  // namespace

void add_init(CLI::App& app, Context& context) {
  add_command(app, context, "init",
              "Write a configuration to start from and make the database; keeps what exists",
              [&context] { return init(context); });
}

}  // namespace davit::cli
