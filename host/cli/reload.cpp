#include <ostream>

#include "host/cli/context.h"
#include "host/cli/table.h"

namespace davit::cli {
namespace {

Result<int> reload(const Context& context) {
  const JsonDocument answer = TRY(context.post("/api/reload", "{}"));
  std::ostream& out = context.surroundings.out;
  const bool changed = bool_member(answer, "changed");
  if (context.json) {
    out << to_json(answer) << '\n';
    return changed ? kExitOk : kExitFailed;
  }
  for (const std::string& note : strings_member(answer, "notes")) out << "note: " << printable(note) << '\n';
  for (const std::string& key : strings_member(answer, "waits_for_restart"))
    out << "note: " << printable(key) << " changes at the next start\n";
  for (const std::string& mistake : strings_member(answer, "mistakes"))
    context.surroundings.error << printable(mistake) << '\n';
  if (!changed)
    return Error{ErrorCode::InvalidInput, "the changed configuration is refused; the old one stays in force"};
  out << "The configuration was taken over.\n";
  return kExitOk;
}

}  // namespace

void add_reload(CLI::App& app, Context& context) {
  CLI::App* command =
      add_command(app, context, "reload", "Let the running host read its configuration and secrets again",
                  [&context] { return reload(context); });
  add_json_option(*command, context);
}

}  // namespace davit::cli
