// Runs the redelivery agent in a process of its own: redeliver_once API STATE_FOLDER.
#include <cstdio>
#include <exception>

#include "tests/agents/redelivery/redelivery_config.h"

int main(int count, char** arguments) try {
  if (count != 3) return 2;
  const agent_run::Got got = agent_run::run(redelivery_test::given_for(arguments[1], arguments[2]));
  std::printf("%s\n", got.all.c_str());
  return got.status == davit::Status::Ok ? 0 : 1;
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
