#include "host/model/model_shares.h"

#include <algorithm>

namespace davit {
namespace {

constexpr std::int64_t ModelUsage::*kMeasures[] = {
    &ModelUsage::input_tokens, &ModelUsage::output_tokens, &ModelUsage::cache_read_tokens,
    &ModelUsage::cache_write_tokens, &ModelUsage::cost_micro_usd};

}  // namespace

std::vector<std::pair<std::string, ModelUsage>> model_shares(const Usage& usage) {
  std::vector<std::pair<std::string, ModelUsage>> shares{{usage.model, usage}};
  for (const auto& [name, said] : usage.models) {
    if (name == usage.model) continue;
    ModelUsage& left = shares.front().second;
    ModelUsage share;
    for (const auto measure : kMeasures) {
      share.*measure = std::clamp<std::int64_t>(said.*measure, 0, std::max<std::int64_t>(left.*measure, 0));
      left.*measure -= share.*measure;
    }
    shares.emplace_back(name, share);
  }
  return shares;
}

}  // namespace davit
