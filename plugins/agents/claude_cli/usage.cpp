#include "claude_cli/usage.h"

#include <algorithm>

namespace claude {
namespace {

// Lines of one message come close together; a session of any length is counted in bounded memory.
constexpr std::size_t kMostMessages = 1024;
constexpr std::size_t kMostStreams = 64;
constexpr std::size_t kMostModels = 32;
constexpr char kOtherModels[] = "other";
constexpr char kNoModel[] = "<synthetic>";  // what the CLI itself says in a model's place

davit::Usage usage_of(const Tokens& tokens, double cost) {
  return {.input_tokens = tokens.input,
          .output_tokens = tokens.output,
          .cache_read_tokens = tokens.cache_read,
          .cache_write_tokens = tokens.cache_write,
          .cost_usd = cost};
}

template <class Models>
auto& slot(Models& models, const std::string& model) {
  return models.count(model) == 0 && models.size() >= kMostModels ? models[kOtherModels] : models[model];
}

}  // namespace

void Spending::take(const Assistant& message) {
  if (message.model != kNoModel) raise(message.id, message.model, message.tokens);
}

void Spending::take(const Streamed& part) {
  if (!part.id.empty()) {
    if (streaming_.size() >= kMostStreams) streaming_.clear();
    streaming_[part.parent] = part.id;
    raise(part.id, part.model, part.tokens);
  } else if (const auto of = streaming_.find(part.parent); of != streaming_.end()) {
    raise(of->second, "", part.tokens);
  }
}

void Spending::raise(const std::string& id, const std::string& model, const Tokens& tokens) {
  if (id.empty()) return slot(earlier_, model).add(tokens);
  const auto [at, is_new] = messages_.try_emplace(id);
  if (!model.empty()) at->second.model = model;
  at->second.tokens.raise_to(tokens);
  if (!is_new) return;
  order_.push_back(id);
  if (order_.size() <= kMostMessages) return;
  const auto oldest = messages_.find(order_.front());
  slot(earlier_, oldest->second.model).add(oldest->second.tokens);
  messages_.erase(oldest);
  order_.pop_front();
}

void Spending::take(const Result& result) {
  Tokens all;
  double sum = 0;
  davit::Usage account;
  std::map<std::string, Tokens> tokens;
  std::map<std::string, double> costs;
  for (const auto& [model, used] : result.models) {
    slot(tokens, model).add(used.tokens);
    slot(costs, model) += used.cost_usd;
    all.add(used.tokens);
    sum += used.cost_usd;
  }
  const davit::Usage guess = estimated();
  if (result.models.empty()) {
    // Old versions: no figures by model, and those of the last request alone may be in `usage`.
    all = {guess.input_tokens, guess.output_tokens, guess.cache_read_tokens, guess.cache_write_tokens};
    all.raise_to(result.tokens);
    account.models = guess.models;
    account.model = guess.model;
  }
  const bool believed = result.cost_usd && (*result.cost_usd > 0 || (all.none() && guess.cost_usd == 0));
  const double cost = believed ? *result.cost_usd : std::max(sum, guess.cost_usd);
  if (has_account_ && cost <= account_.cost_usd) return;

  for (const auto& [model, used] : tokens) account.models.emplace(model, usage_of(used, costs[model]));
  double most = -1;
  for (const auto& [model, used] : account.models) {
    if (used.cost_usd > most) most = used.cost_usd, account.model = model;
  }
  const davit::Usage total = usage_of(all, cost);
  account.input_tokens = total.input_tokens;
  account.output_tokens = total.output_tokens;
  account.cache_read_tokens = total.cache_read_tokens;
  account.cache_write_tokens = total.cache_write_tokens;
  account.cost_usd = cost;
  account_ = std::move(account);
  has_account_ = true;
  estimate_ = !believed;
}

davit::Usage Spending::total() const {
  davit::Usage usage = has_account_ ? account_ : estimated();
  usage.cost_is_estimate = estimate_;
  return usage;
}

Spending::Models Spending::by_model() const {
  Models models = earlier_;
  for (const auto& [id, used] : messages_) slot(models, used.model).add(used.tokens);
  return models;
}

davit::Usage Spending::estimated() const {
  davit::Usage usage;
  Tokens all;
  double most = -1;
  for (const auto& [model, tokens] : by_model()) {
    const double cost = cost_of(model, tokens);
    all.add(tokens);
    usage.cost_usd += cost;
    if (model.empty()) continue;
    usage.models.emplace(model, usage_of(tokens, cost));
    if (cost > most) most = cost, usage.model = model;
  }
  usage.input_tokens = all.input;
  usage.output_tokens = all.output;
  usage.cache_read_tokens = all.cache_read;
  usage.cache_write_tokens = all.cache_write;
  return usage;
}

double Spending::cost_of(std::string_view model, const Tokens& tokens) const {
  // Clouds put a region and a vendor before the name: "us.anthropic.claude-sonnet-4-5-20250929-v1:0".
  const std::string_view name = model.substr(std::min(model.find("claude-"), model.size()));
  const auto cost_at = [&](const Price& price) {
    return (static_cast<double>(tokens.input) * price.input +
            static_cast<double>(tokens.output) * price.output +
            static_cast<double>(tokens.cache_read) * price.cache_read +
            static_cast<double>(tokens.cache_write) * price.cache_write) /
           1e6;
  };
  const Price* best = nullptr;
  std::size_t longest = 0;
  double dearest = 0;
  for (const auto& [prefix, price] : prices_) {
    dearest = std::max(dearest, cost_at(price));
    const bool fits = (!name.empty() && name.substr(0, prefix.size()) == prefix) ||
                      model.substr(0, prefix.size()) == prefix;
    if (fits && prefix.size() > longest) longest = prefix.size(), best = &price;
  }
  return best ? cost_at(*best) : dearest;
}

}  // namespace claude
