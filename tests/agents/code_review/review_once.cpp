// Runs the code-review agent in a process of its own: review_once FILE, which says how (Given, as JSON).
#include <cstdio>
#include <exception>

#include "tests/agents/agent_run/agent_run.h"
#include "tests/plugins/testdata.h"

int main(int count, char** arguments) try {
  if (count != 2) return 2;
  const davit::Json json = davit::Json::parse(testdata::read_file(arguments[1]));
  agent_run::Given given{.plugin = "code_review_agent",
                         .config = json["config"].dump(),
                         .state_folder = json["state_folder"].string_or(""),
                         .previous_result = davit::Json(json["previous_result"]),
                         .context = davit::Json(json["context"])};
  for (const auto& [name, value] : json["secrets"].members())
    given.secrets[std::string(name)] = value.string_or("");
  return agent_run::run(given).status == davit::Status::Ok ? 0 : 1;
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
