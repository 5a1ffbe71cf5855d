#include "host/http/bulk_previews.h"

#include <algorithm>

#include "host/base/crypto.h"

namespace davit::http {

std::string BulkPreviews::keep(BulkPreview preview) {
  constexpr std::size_t kTokenBytes = 24;
  std::string token = to_hex(random_bytes(kTokenBytes));
  const MonotonicTime now = clock_.monotonic();
  kept_.with([&](std::vector<Kept>& kept) {
    std::erase_if(kept, [&](const Kept& each) { return each.until <= now; });
    if (kept.size() >= kMost) kept.erase(kept.begin());
    kept.push_back({sha256(token), now + kLifetime, std::move(preview)});
  });
  return token;
}

Result<BulkPreview> BulkPreviews::take(std::string_view token, std::string_view actor) {
  // Compared by its hash: what time that takes tells nothing about the token.
  const std::string hash = sha256(token);
  const MonotonicTime now = clock_.monotonic();
  return kept_.with([&](std::vector<Kept>& kept) -> Result<BulkPreview> {
    const auto found = std::find_if(kept.begin(), kept.end(), [&](const Kept& each) {
      return each.token_hash == hash && each.until > now && each.preview.actor == actor;
    });
    if (found == kept.end())
      return Error{
          ErrorCode::NotFound,
          "there is no preview of this token: it was used, is more than five minutes old, is somebody else's, or "
          "davit was started anew since; preview again"};
    BulkPreview preview = std::move(found->preview);
    kept.erase(found);
    return preview;
  });
}

Result<std::string> idempotency_key(std::string_view header) {
  constexpr std::size_t kMostCharacters = 128;
  const Error wrong{
      ErrorCode::InvalidInput,
      "must be a text in quotes of 1 to 128 printable ASCII characters, a new one for each act"};
  if (header.size() < 3 || header.front() != '"' || header.back() != '"') return wrong;
  header = header.substr(1, header.size() - 2);
  std::string key;
  bool escaped = false;
  for (const char c : header) {
    if (c < ' ' || c > '~') return wrong;
    if (escaped && c != '"' && c != '\\') return wrong;
    if (!escaped && c == '"') return wrong;
    escaped = !escaped && c == '\\';
    if (!escaped) key += c;
  }
  if (escaped) return wrong;
  if (key.size() > kMostCharacters) return wrong;
  return key;
}

Result<KeysInUse::Hold> KeysInUse::take(const std::string& actor, const std::string& key) {
  const Result<> taken = keys_->with([&](auto& keys) -> Result<> {
    if (keys.contains({actor, key}))
      return Error{ErrorCode::Conflict, "the request of this Idempotency-Key is being done; ask again"};
    if (keys.size() >= kMost) return Error{ErrorCode::Overloaded, "too many requests are being done"};
    keys.emplace(actor, key);
    return {};
  });
  if (!taken.ok()) return taken.error();
  return Hold(nullptr, [shared = keys_, held = std::pair(actor, key)](const void*) {
    shared->with([&](auto& keys) { keys.erase(held); });
  });
}

}  // namespace davit::http
