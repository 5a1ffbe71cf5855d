// What of a request is found in a repository's code.
#pragma once

#include <string>

#include "discovery/clues.h"
#include "discovery/ranking.h"
#include "git_workspace/mirror.h"

namespace discovery {

// In the default branch. Throws davit::Failure as Mirror does.
Searched search_in(const git::Mirror& mirror, const std::string& repository, const Clues& clues);

// What the repository says of itself: the beginning of its README; "" where it has none that can be read.
std::string introduction_of(const git::Mirror& mirror);

}  // namespace discovery
