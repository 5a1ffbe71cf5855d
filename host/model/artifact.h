// Files that an execution leaves behind for people.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace davit {

struct Artifact {
  std::string name;  // is_artifact_name()
  std::string content_type;
  std::string content;
};

// Of one execution.
struct ArtifactLimits {
  std::size_t max_size = 1u << 20;   // of each, in bytes
  std::size_t max_total = 8u << 20;  // of all that are kept
};
inline constexpr std::size_t kMaxArtifacts = 64;

// At most 128 bytes of UTF-8 without slash, backslash and control characters, and neither "." nor "..".
bool is_artifact_name(std::string_view name);

// What one execution has left so far. The runner asks its own, to tell the plugin, and the host another one,
// that counts. Confined to one thread.
class ArtifactLedger {
 public:
  explicit ArtifactLedger(ArtifactLimits limits = {}) : limits_(limits) {}
  // Nothing: it may be kept, and counts from now on in place of an earlier one of its name. Else why not.
  std::optional<std::string> refuse(std::string_view name, std::size_t bytes);

 private:
  ArtifactLimits limits_;
  std::map<std::string, std::size_t, std::less<>> kept_;
  std::size_t total_ = 0;
};

}  // namespace davit
