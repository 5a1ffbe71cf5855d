#include "executor/plan_bounds.h"

#include <algorithm>
#include <set>

#include "git_workspace/path_pattern.h"

namespace executor {
namespace {

std::set<std::string> named_in(const work::Plan& plan) {
  std::set<std::string> names;
  const auto take = [&](davit::JsonView files) {
    for (const davit::JsonView file : files) {
      std::string_view name = file.string_or("");
      if (name.starts_with("./")) name.remove_prefix(2);
      names.emplace(name);
    }
  };
  take(plan.document["files"]);
  for (const davit::JsonView step : plan.document["steps"]) take(step["files"]);
  return names;
}

}  // namespace

std::vector<std::string> beyond(const work::Plan& plan, const std::vector<git::File>& files,
                                const std::vector<std::string>& test_paths) {
  const std::set<std::string> named = named_in(plan);
  std::vector<std::string> others;
  for (const git::File& file : files) {
    const bool is_test = std::any_of(test_paths.begin(), test_paths.end(), [&](const std::string& pattern) {
      return git::path_matches(pattern, file.path, git::Case::Counts);
    });
    if (!is_test && file.path != plan.path && !named.contains(file.path)) others.push_back(file.path);
  }
  return others;
}

}  // namespace executor
