// Checks of a commit, as GitHub tells of them.
#pragma once

#include <cstdint>
#include <string>

#include "davit/json.hpp"

namespace cicd_test {

inline const std::string kSha = "00112233445566778899aabbccddeeff00112233";

// A null `conclusion`: it has not ended.
inline davit::Json state_of(davit::Json json, const char* conclusion, const std::string& sha) {
  json.set("head_sha", sha).set("status", conclusion ? "completed" : "in_progress");
  return conclusion ? json.set("conclusion", conclusion) : json.set("conclusion", nullptr);
}

// A workflow's job in the suite of the run of that number, or with suite 0 another program's check.
inline davit::Json check_run(std::int64_t id, const std::string& name, const char* conclusion,
                             std::int64_t suite = 0, const std::string& sha = kSha) {
  using davit::Json;
  Json json = Json::object({{"id", id}, {"name", name}, {"html_url", "https://github.example/job"}});
  json.set("app",
           Json::object({{"id", suite > 0 ? 15368 : 99}, {"slug", suite > 0 ? "github-actions" : "lint"}}));
  json.set("check_suite", Json::object({{"id", suite > 0 ? suite : 5000 + id}}));
  return state_of(std::move(json), conclusion, sha);
}

// Its suite is called as it is.
inline davit::Json workflow_run(std::int64_t id, const char* conclusion, int attempt = 1,
                                const std::string& sha = kSha) {
  return state_of(davit::Json::object({{"id", id},
                                       {"name", "CI"},
                                       {"workflow_id", 1},
                                       {"check_suite_id", id},
                                       {"event", "push"},
                                       {"run_attempt", attempt}}),
                  conclusion, sha);
}

inline davit::Json status(std::int64_t id, const std::string& context, const std::string& state,
                          const std::string& description = "") {
  return davit::Json::object(
      {{"id", id}, {"context", context}, {"state", state}, {"description", description}});
}

}  // namespace cicd_test
