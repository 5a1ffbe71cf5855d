#include "github_api/etags.h"

#include <algorithm>
#include <utility>

namespace github {

const Etags::Kept* Etags::find(const std::string& url) const {
  const auto found =
      std::find_if(kept_.begin(), kept_.end(), [&](const Kept& answer) { return answer.url == url; });
  return found == kept_.end() ? nullptr : &*found;
}

void Etags::keep(Kept answer) {
  std::erase_if(kept_, [&](const Kept& old) {
    if (old.url != answer.url) return false;
    bytes_ -= size_of(old);
    return true;
  });
  if (size_of(answer) > most_bytes_) return;
  bytes_ += size_of(answer);
  kept_.push_back(std::move(answer));
  while (bytes_ > most_bytes_) {
    bytes_ -= size_of(kept_.front());
    kept_.pop_front();
  }
}

}  // namespace github
