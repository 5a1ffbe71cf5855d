#include "discovery/search.h"

#include <algorithm>
#include <map>
#include <utility>

#include "davit/failure.hpp"
#include "davit/text.hpp"

namespace discovery {
namespace {

// One find for each word that is there, with the first file as its place.
void add_hits(const git::Mirror& mirror, const std::vector<std::string>& words, git::Words how,
              std::size_t first_identifier, Kind before, Kind from_there, Searched& searched) {
  std::map<std::size_t, Find> finds;
  for (const git::WordHit& hit : mirror.search(words, how).hits) {
    if (is_foreign(hit.path)) continue;
    const auto [find, is_new] = finds.try_emplace(hit.word);
    if (is_new)
      find->second = {.kind = hit.word < first_identifier ? before : from_there,
                      .clue = words[hit.word],
                      .where = hit.path + ":" + std::to_string(hit.line)};
    else
      ++find->second.files;
  }
  for (auto& [word, find] : finds) searched.finds.push_back(std::move(find));
}

}  // namespace

Searched search_in(const git::Mirror& mirror, const std::string& repository, const Clues& clues) {
  const std::vector<std::string> files = mirror.files();
  Searched searched{
      .repository = repository, .files = files.size(), .finds = finds_in_name(repository, clues)};
  for (const std::string& clue : clues.paths) {
    const PathFind found = best_path(clue, files);
    const double fit = fit_of(clue, found.parts);
    if (fit > 0)
      searched.finds.push_back({.kind = Kind::Path, .clue = clue, .where = found.path, .fit = fit});
  }
  std::vector<std::string> exact = clues.messages;
  exact.insert(exact.end(), clues.identifiers.begin(), clues.identifiers.end());
  add_hits(mirror, exact, git::Words::Whole, clues.messages.size(), Kind::Message, Kind::Identifier,
           searched);
  add_hits(mirror, clues.words, git::Words::Anywhere, 0, Kind::Word, Kind::Word, searched);
  return searched;
}

std::string introduction_of(const git::Mirror& mirror) {
  constexpr std::size_t kMost = 600, kMostOfFile = std::size_t{256} << 10;
  try {
    const std::optional<std::string> head = mirror.head(mirror.default_branch());
    for (const char* name : {"README.md", "README", "README.rst", "README.txt", "readme.md"}) {
      const std::optional<std::string> text = head ? mirror.read(*head, name, kMostOfFile) : std::nullopt;
      if (text) return davit::to_utf8(std::string_view(*text).substr(0, kMost));
    }
  } catch (const davit::Failure& failure) {
    if (failure.status() == davit::Status::Cancelled) throw;
  }
  return "";
}

}  // namespace discovery
