// Answers that were given before, by which GitHub can be asked whether they still hold: "they do" (304) does
// not count against the rate limit. Kept on disk, so that the next execution has them, too.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>

namespace github {

// One thread; any number of objects and processes may share a folder. It is a cache: what cannot be kept or
// read is as if it had never been.
class Etags {
 public:
  struct Kept {
    std::string etag, body;
    std::string link;  // a 304 need not repeat it
  };

  // `account`: whose answers, for another one sees something else at the same address. The folder holds what
  // the account may read, private repositories too. `most_bytes`: of all files of the folder; those that were
  // not used for longest make room, and what is larger than an eighth of it is not kept.
  Etags(std::filesystem::path folder, std::string account, std::size_t most_bytes = 64u << 20);

  std::optional<Kept> find(const std::string& url) const;
  // In place of what was kept of that address.
  void keep(const std::string& url, const Kept& answer);

 private:
  std::filesystem::path file_of(const std::string& url) const;
  void make_room() const;

  std::filesystem::path folder_;
  std::string account_;
  std::size_t most_bytes_;
  std::size_t unswept_;  // bytes that were written since room was made
};

}  // namespace github
