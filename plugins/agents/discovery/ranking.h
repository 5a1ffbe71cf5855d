// Which repository fits best, by what was found in each.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "discovery/clues.h"

namespace discovery {

// From strong to weak.
enum class Kind { Path, Message, Name, Identifier, PartOfName, Word };
std::string_view name_of(Kind kind);

struct Find {
  Kind kind = Kind::Word;
  std::string clue;       // of the request
  std::string where;      // "src/cart.cpp:12"; empty for a name
  double fit = 1;         // more than 0, at most 1
  std::size_t files = 1;  // that have it
};

struct Searched {
  std::string repository;
  std::size_t files = 0;    // that it has
  std::vector<Find> finds;  // one for each kind and clue
};

struct Evidence {
  Find find;
  double weight = 0;  // what it counts
};

struct Candidate {
  std::string repository;
  // 0 to 1: how sure it is that this one is meant. It takes both, much that speaks for it and little that
  // speaks for another: with one that fits as well it is at most 0.5.
  double score = 0;
  double weight = 0;               // of all evidence
  std::vector<Evidence> evidence;  // the strongest first
};

// The best first; those that fit alike in the order of their names. What is found in all of them counts
// nothing, what is found in one only counts all. Of a path only those count that fit best.
std::vector<Candidate> ranked(std::vector<Searched> searched);

// How a repository's name is in a request.
std::vector<Find> finds_in_name(const std::string& repository, const Clues& clues);

struct PathFind {
  std::string path;       // of the repository
  std::size_t parts = 0;  // that are the same, from the end on
};
// The file among `files` whose path agrees best with that of a clue, from its end on; `parts` is 0 if none
// does. Files that others made (node_modules, vendor) count for nothing.
PathFind best_path(std::string_view clue, const std::vector<std::string>& files);
// Whether others made it.
bool is_foreign(std::string_view path);
// How much an agreement of so many parts tells, of a clue with so many: 0 to 1.
double fit_of(std::string_view clue, std::size_t parts);

}  // namespace discovery
