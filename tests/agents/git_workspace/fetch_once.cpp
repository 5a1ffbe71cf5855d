// Fetches a mirror in a process of its own: fetch_once STATE_FOLDER HOST URL. Prints the head of main.
#include <cstdio>
#include <exception>

#include "git_workspace/mirrors.h"

int main(int count, char** arguments) try {
  if (count != 4) return 2;
  git::Settings settings;
  settings.state_folder = arguments[1];
  settings.hosts = {arguments[2]};
  git::Mirrors mirrors(settings, {});
  std::printf("%s\n",
              mirrors.fetch(mirrors.remote_at(arguments[3]), {}).head("main").value_or("none").c_str());
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
