#include "host/plugin/marshal_usage.h"

#include <algorithm>
#include <cmath>

#include "host/plugin/host_services.h"
#include "host/plugin/marshal.h"

namespace davit::plugin {
namespace {

constexpr std::int64_t kMaxTokens = 1'000'000'000'000;
constexpr double kMaxDollars = 1'000'000;
constexpr std::size_t kMaxModels = 64;
constexpr std::size_t kMaxModelName = 128;
constexpr std::string_view kOtherModels = "other";  // those beyond

void write_figures(JsonWriter& writer, const ModelUsage& usage) {
  write_member(writer, "input_tokens", usage.input_tokens);
  write_member(writer, "output_tokens", usage.output_tokens);
  write_member(writer, "cache_read_tokens", usage.cache_read_tokens);
  write_member(writer, "cache_write_tokens", usage.cache_write_tokens);
  write_member(writer, "cost_usd", static_cast<double>(usage.cost_micro_usd) / 1e6);
}

Result<std::int64_t> tokens_from(const Members& members, std::string_view name, bool& mended) {
  const JsonValue* value = members.find(name);
  if (!value) return std::int64_t{0};
  if (!value->IsNumber()) return wrong(members.place(name), "must be a number");
  double number = value->GetDouble();
  if (number < 0) return mended = true, std::int64_t{0};
  if (number > static_cast<double>(kMaxTokens)) return mended = true, kMaxTokens;
  return value->IsInt64() ? value->GetInt64() : static_cast<std::int64_t>(number);
}

Result<ModelUsage> figures_from(const Members& members, bool& mended) {
  ModelUsage usage;
  usage.input_tokens = TRY(tokens_from(members, "input_tokens", mended));
  usage.output_tokens = TRY(tokens_from(members, "output_tokens", mended));
  usage.cache_read_tokens = TRY(tokens_from(members, "cache_read_tokens", mended));
  usage.cache_write_tokens = TRY(tokens_from(members, "cache_write_tokens", mended));
  if (const JsonValue* cost = members.find("cost_usd")) {
    if (!cost->IsNumber()) return wrong(members.place("cost_usd"), "must be a number");
    double dollars = cost->GetDouble();
    if (!(dollars >= 0)) mended = true, dollars = 0;
    if (dollars > kMaxDollars) mended = true, dollars = kMaxDollars;
    usage.cost_micro_usd = std::llround(dollars * 1e6);
  }
  return usage;
}

// Empty if it cannot be kept: the money was spent, whatever the model is called. It is not cut, for a part of
// a secret is not known again as one.
std::string model_name(std::string_view said, bool& mended) {
  const bool fit =
      presentable(said, kMaxModelName) == said && said.find_first_of("\n\t") == std::string_view::npos;
  if (!fit) mended = true;
  return fit ? std::string(said) : std::string();
}

// "other" itself does not count, so that what was folded once stays as it is.
bool has_room_for(const Usage& usage, std::string_view model) {
  if (model == kOtherModels || usage.models.contains(std::string(model))) return true;
  return usage.models.size() - usage.models.count(std::string(kOtherModels)) < kMaxModels;
}

ModelUsage greater(const ModelUsage& a, const ModelUsage& b) {
  return ModelUsage{std::max(a.input_tokens, b.input_tokens), std::max(a.output_tokens, b.output_tokens),
                    std::max(a.cache_read_tokens, b.cache_read_tokens),
                    std::max(a.cache_write_tokens, b.cache_write_tokens),
                    std::max(a.cost_micro_usd, b.cost_micro_usd)};
}

}  // namespace

Result<Usage> usage_from(const Members& members, bool& mended) {
  Usage usage;
  static_cast<ModelUsage&>(usage) = TRY(figures_from(members, mended));
  usage.cost_is_estimate = TRY(members.flag("cost_is_estimate"));
  if (const JsonValue* model = members.find("model")) {
    if (!model->IsString()) return wrong(members.place("model"), "must be a text");
    usage.model = model_name(view(*model), mended);
  }
  const JsonValue* models = TRY(members.object("models"));
  if (!models) return usage;
  for (const auto& member : models->GetObject()) {
    std::string name = model_name(view(member.name), mended);
    if (name.empty() || !has_room_for(usage, name)) mended = true, name = kOtherModels;
    if (!member.value.IsObject()) return wrong(members.place("models") + "." + name, "must be an object");
    add(usage.models[name],
        TRY(figures_from(Members(member.value, members.place("models") + "." + name), mended)));
  }
  return usage;
}

void write_usage(JsonWriter& writer, const Usage& usage) {
  writer.StartObject();
  write_figures(writer, usage);
  if (usage.cost_is_estimate) write_member(writer, "cost_is_estimate", true);
  if (!usage.model.empty()) write_member(writer, "model", usage.model);
  writer.Key("models");
  writer.StartObject();
  for (const auto& [model, figures] : usage.models) {
    writer.Key(model.data(), static_cast<rapidjson::SizeType>(model.size()));
    writer.StartObject();
    write_figures(writer, figures);
    writer.EndObject();
  }
  writer.EndObject();
  writer.EndObject();
}

Result<Usage> usage_from_json(std::string_view json, bool* mended) {
  JsonDocument document = TRY(object_from(json, "usage"));
  bool unused = false;
  return usage_from(Members(document, ""), mended ? *mended : unused);
}

std::string to_json(const Usage& usage) {
  JsonBuffer buffer;
  JsonWriter writer(buffer);
  write_usage(writer, usage);
  return std::string(text_of(buffer));
}

Usage merged(const Usage& earlier, const Usage& now) {
  Usage before = earlier;
  if (replaces_estimate(before, now)) {
    before.cost_micro_usd = 0;
    // Who tells of models tells of all that had a part in the costs.
    if (!now.models.empty())
      for (auto& [model, figures] : before.models) figures.cost_micro_usd = 0;
  }
  Usage usage;
  static_cast<ModelUsage&>(usage) = greater(before, now);
  usage.cost_is_estimate =
      now.cost_micro_usd > before.cost_micro_usd ? now.cost_is_estimate : before.cost_is_estimate;
  usage.model = now.model.empty() ? before.model : now.model;
  usage.models = before.models;
  ModelUsage beyond;
  for (const auto& [model, figures] : now.models) {
    if (!has_room_for(usage, model)) {
      add(beyond, figures);
    } else if (model != kOtherModels) {
      usage.models[model] = greater(usage.models[model], figures);
    }
  }
  const std::string other(kOtherModels);
  if (auto told = now.models.find(other); told != now.models.end()) add(beyond, told->second);
  if (beyond.total_tokens() > 0 || beyond.cost_micro_usd > 0)
    usage.models[other] = greater(usage.models[other], beyond);
  return usage;
}

}  // namespace davit::plugin
