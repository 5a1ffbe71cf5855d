// What the agent makes of testdata/, and that it ends when it is asked to. Run by ctest.
#include <davit/testing/golden.hpp>
#include <davit/testing/library.hpp>

using namespace davit::testing;

int main(int count, char** arguments) {
  if (count != 2) return 2;
  const Library library(arguments[1]);
  Checks checks;
  checks.all(check_tasks(library.agents(), 0, "testdata"));

  FakeHost host;
  host.cancelled = true;
  const Outcome stopped = AgentDriver(library.agents(), 0, host)
                              .run(AgentDriver::context(davit::Json::object({{"text", "something"}})));
  checks.that("a cancelled run says so", stopped.status == davit::Status::Cancelled);
  return checks.exit_code();
}
