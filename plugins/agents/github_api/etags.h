// Answers that were given before, by which GitHub can be asked whether they still hold: "they do" (304) does
// not count against the rate limit.
#pragma once

#include <cstddef>
#include <list>
#include <string>

namespace github {

// One thread. For one token: another would see something else at the same address.
class Etags {
 public:
  struct Kept {
    std::string url, etag, body;
    std::string link;  // a 304 need not repeat it
  };

  explicit Etags(std::size_t most_bytes = 16u << 20) : most_bytes_(most_bytes) {}

  // Nullptr if there is none. Valid until the next keep().
  const Kept* find(const std::string& url) const;
  // In place of what was kept of that address; the oldest make room. What is larger than all the room is not
  // kept.
  void keep(Kept answer);

 private:
  static std::size_t size_of(const Kept& answer) { return answer.url.size() + answer.body.size(); }

  std::size_t most_bytes_, bytes_ = 0;
  std::list<Kept> kept_;  // the oldest first
};

}  // namespace github
