// The skills there are: the shipped ones, and the user's own in their place.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>

#include "skills/skill_file.h"

namespace skills {

// Immutable after construction.
class Book {
 public:
  // `own`: the user's folder, absolute, or empty for none. A file plan-changes.md there takes the place of
  // the shipped skill of that name. Throws davit::Failure(Permanent), with file and line, for anything there
  // that cannot be used: a broken file, a file that takes no skill's place, a folder that cannot be read. The
  // shipped skill is never taken for a broken one. README.md and what does not end in .md is left alone.
  explicit Book(const std::filesystem::path& own = {});

  // Lives as long as the book. Throws davit::Failure(Internal) if there is none.
  const Skill& find(std::string_view name) const;
  const std::map<std::string, Skill, std::less<>>& all() const { return skills_; }

 private:
  void read_own(const std::filesystem::path& own);

  std::map<std::string, Skill, std::less<>> skills_;
};

}  // namespace skills
