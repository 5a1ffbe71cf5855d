// Paths of the API, of parts that somebody else may have named.
#pragma once

#include <string>
#include <string_view>

namespace github {

struct Repo {
  std::string owner, name;
};

// ASCII letters only: names on GitHub have no others.
std::string lower(std::string text);

// All but letters, digits and -._~ as %XX: for the value of a query.
std::string escape(std::string_view text);

// The same for one segment of a path. Throws davit::Failure(InvalidInput) for "", "." and "..", which would
// change the path however they are written.
std::string segment(std::string_view text);

// "/repos/OWNER/NAME".
std::string path_of(const Repo& repo);

}  // namespace github
