#include "tests/agents/executor/host_hash.h"

#include "host/store/store.h"

std::string host_hash(const std::string& previous_result) {
  return davit::store::content_hash({.agent = "executor-agent",
                                     .task_type = "issue",
                                     .source = "chain",
                                     .title = "Wrong sum",
                                     .previous_result = previous_result});
}
