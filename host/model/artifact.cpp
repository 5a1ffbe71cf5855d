#include "host/model/artifact.h"

#include <algorithm>

#include "host/base/json.h"

namespace davit {
namespace {

constexpr std::size_t kMaxName = 128;

}  // namespace

bool is_artifact_name(std::string_view name) {
  return !name.empty() && name.size() <= kMaxName && name != "." && name != ".." && is_utf8(name) &&
         std::none_of(name.begin(), name.end(), [](char c) {
           const auto byte = static_cast<unsigned char>(c);
           return c == '/' || c == '\\' || byte < 0x20 || byte == 0x7f;
         });
}

std::optional<std::string> ArtifactLedger::refuse(std::string_view name, std::size_t bytes) {
  const auto more = [](std::size_t size, std::string_view key, std::size_t limit) {
    return std::to_string(size) + " bytes are more than " + std::string(key) + " (" + std::to_string(limit) +
           ")";
  };
  if (bytes > limits_.max_size) return more(bytes, "artifacts.max_size", limits_.max_size);
  const auto former = kept_.find(name);
  const std::size_t others = total_ - (former == kept_.end() ? 0 : former->second);
  if (others + bytes > limits_.max_total)
    return "with those before " + more(others + bytes, "artifacts.max_total", limits_.max_total);
  if (former == kept_.end() && kept_.size() >= kMaxArtifacts)
    return "an execution may leave " + std::to_string(kMaxArtifacts);
  kept_.insert_or_assign(std::string(name), bytes);
  total_ = others + bytes;
  return std::nullopt;
}

}  // namespace davit
