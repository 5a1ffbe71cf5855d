#include <ostream>

#include "host/app.h"
#include "host/cli/context.h"
#include "host/cli/database_file.h"
#include "host/cli/table.h"

namespace davit::cli {
namespace {

Result<int> backup(const Context& context, const std::string& target) {
  const DatabaseFile file = TRY(DatabaseFile::open(context, Access::Read));
  TRY(file.store->backup(target));
  context.surroundings.out << "Backed up to " << printable(target) << '\n';
  return kExitOk;
}

Result<int> verify(const Context& context, const std::string& given) {
  std::string path = given;
  if (path.empty()) path = TRY(context.config()).storage.path;
  // What is no database of ours is told as the host would tell it, with the same exit code.
  TRY(DatabaseFile::open_at(context, path, Access::Read));
  const auto findings = TRY(store::verify(path));
  std::ostream& out = context.surroundings.out;
  for (const std::string& finding : findings) out << printable(finding) << '\n';
  if (findings.empty()) {
    out << printable(path) << " is sound\n";
    return kExitOk;
  }
  context.exit_on_failure = kExitStoreCorrupt;
  return Error{ErrorCode::Permanent, path + ": " + std::to_string(findings.size()) +
                                         (findings.size() == 1 ? " finding" : " findings") +
                                         "; keep a copy of it and go back to a backup"};
}

std::string mebibytes(std::int64_t bytes) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f MiB", static_cast<double>(bytes) / (1 << 20));
  return text;
}

Result<int> compact(const Context& context) {
  const std::string path = TRY(context.config()).storage.path;
  const auto done = store::compact(path);
  if (const auto* failure = std::get_if<store::OpenError>(&done)) {
    context.exit_on_failure = davit::exit_code_of(failure->failure);
    return Error{ErrorCode::Unavailable, failure->message};
  }
  const auto& bytes = std::get<store::Compacted>(done);
  context.surroundings.out << "Compacted " << printable(path) << ": " << mebibytes(bytes.bytes_before)
                           << " before, " << mebibytes(bytes.bytes_after) << " now\n";
  return kExitOk;
}

}  // namespace

void add_database(CLI::App& app, Context& context) {
  auto target = std::make_shared<std::string>();
  add_command(app, context, "backup", "Copy the database while the host runs or not",
              [&context, target] { return backup(context, *target); })
      ->add_option("file", *target, "Where to; must not exist")
      ->required();
  add_command(app, context, "compact", "Give the database's free pages back to the disk, while no host runs",
              [&context] { return compact(context); });
  auto path = std::make_shared<std::string>();
  add_command(app, context, "verify-store", "Check the database, or a backup, for damage", [&context, path] {
    return verify(context, *path);
  })->add_option("file", *path, "Database or backup (default: what the configuration names)");
}

}  // namespace davit::cli
