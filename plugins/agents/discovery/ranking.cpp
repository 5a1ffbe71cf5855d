// A clue counts by its kind and by how few repositories have it: log(all / with it) / log(all), which is 1
// for one and 0 for all. A word also counts by its share of the files, half where one in fifty has it: a
// large repository has any word somewhere; a name of the code by how many files have it beside the repository
// that has it in most. What a repository has is summed up; 1 - e^-sum says how much that is, and the lead
// over the next one how far it can be relied on.
#include "discovery/ranking.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>
#include <set>
#include <utility>

#include "discovery/letters.h"

namespace discovery {
namespace {

struct Weight {
  Kind kind;
  std::string_view name;
  double weight;
};
constexpr Weight kWeights[] = {{Kind::Path, "path", 3.0},
                               {Kind::Message, "message", 2.0},
                               {Kind::Name, "name", 1.2},
                               {Kind::Identifier, "identifier", 1.2},
                               {Kind::PartOfName, "part of the name", 0.4},
                               {Kind::Word, "word", 0.35}};

const Weight& weight_of(Kind kind) { return kWeights[static_cast<std::size_t>(kind)]; }

double rarity(Kind kind, std::size_t with, std::size_t all) {
  // Where there is nothing to compare with, people's words are no proof.
  const bool is_vague = kind == Kind::Word || kind == Kind::PartOfName;
  if (all == 1) return is_vague ? 0 : 1;
  const double share = std::log(static_cast<double>(all) / static_cast<double>(with));
  constexpr std::size_t kFew = 4;  // among so few a word is rare by chance
  return share / std::log(static_cast<double>(is_vague ? std::max(all, kFew) : all));
}

// What a clue is at its best.
struct Best {
  double fit = 0;
  std::size_t files = 0;
};

double strength_of(const Find& find, const Best& best, std::size_t files_of_repository) {
  constexpr double kSome = 0.25, kShare = 0.02;
  const auto files = static_cast<double>(find.files);
  switch (find.kind) {
    case Kind::Identifier:
      return 0.5 + 0.5 * files / static_cast<double>(best.files);
    case Kind::Word:
      return files / (files + kSome + kShare * static_cast<double>(files_of_repository));
    default:
      return find.fit;
  }
}

std::vector<std::string_view> parts_of(std::string_view path) {
  std::vector<std::string_view> parts;
  for (std::size_t at = 0; at <= path.size();) {
    const std::size_t end = std::min(path.find('/', at), path.size());
    parts.push_back(path.substr(at, end - at));
    at = end + 1;
  }
  return parts;
}

std::string_view stem_of(std::string_view name) {
  const std::size_t dot = name.rfind('.');
  return dot == std::string_view::npos || dot == 0 ? name : name.substr(0, dot);
}

// Files that every other repository has.
bool is_usual(std::string_view name) {
  static const std::set<std::string_view> kUsual = {
      "__init__", "app",      "base",  "client", "config", "constants", "database", "errors", "exceptions",
      "handler",  "handlers", "index", "main",   "models", "package",   "readme",   "routes", "server",
      "settings", "setup",    "test",  "tests",  "types",  "urls",      "util",     "utils",  "views"};
  return kUsual.contains(lower(stem_of(name)));
}

}  // namespace

std::string_view name_of(Kind kind) { return weight_of(kind).name; }

std::vector<Candidate> ranked(std::vector<Searched> searched) {
  using Clue = std::pair<Kind, std::string>;
  std::map<Clue, Best> best;
  for (const Searched& one : searched) {
    for (const Find& find : one.finds) {
      Best& of_clue = best[{find.kind, find.clue}];
      of_clue.fit = std::max(of_clue.fit, find.fit);
      of_clue.files = std::max(of_clue.files, find.files);
    }
  }
  std::map<Clue, std::size_t> with;
  for (Searched& one : searched) {
    std::erase_if(one.finds, [&](const Find& find) {
      return find.kind == Kind::Path && find.fit < best[{find.kind, find.clue}].fit;
    });
    for (const Find& find : one.finds) ++with[{find.kind, find.clue}];
  }
  std::vector<Candidate> candidates;
  for (Searched& one : searched) {
    Candidate candidate{.repository = std::move(one.repository), .evidence = {}};
    for (Find& find : one.finds) {
      const double weight = weight_of(find.kind).weight *
                            strength_of(find, best[{find.kind, find.clue}], one.files) *
                            rarity(find.kind, with[{find.kind, find.clue}], searched.size());
      candidate.weight += weight;
      if (weight > 0) candidate.evidence.push_back({std::move(find), weight});
    }
    std::stable_sort(candidate.evidence.begin(), candidate.evidence.end(),
                     [](const Evidence& a, const Evidence& b) { return a.weight > b.weight; });
    candidates.push_back(std::move(candidate));
  }
  std::sort(candidates.begin(), candidates.end(), [](const Candidate& a, const Candidate& b) {
    return a.weight != b.weight ? a.weight > b.weight : a.repository < b.repository;
  });
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    Candidate& candidate = candidates[i];
    if (candidate.weight <= 0) continue;
    const double other = candidates.size() == 1 ? 0 : candidates[i == 0 ? 1 : 0].weight;
    const double lead = std::max(0.0, (candidate.weight - other) / candidate.weight);
    candidate.score = (1 - std::exp(-candidate.weight)) * (0.5 + 0.5 * lead);
  }
  return candidates;
}

std::vector<Find> finds_in_name(const std::string& repository, const Clues& clues) {
  constexpr double kHalf = 0.6;
  const auto find = [](Kind kind, const std::string& clue, double fit) {
    return Find{.kind = kind, .clue = clue, .where = {}, .fit = fit};
  };
  const std::string name = lower(repository.substr(repository.find('/') + 1));
  if (std::find(clues.given_names.begin(), clues.given_names.end(), name) != clues.given_names.end())
    return {find(Kind::Name, name, 1)};
  const std::set<std::string_view> said(clues.names.begin(), clues.names.end());
  const bool is_composed = name.find_first_of("-_.") != std::string::npos;
  if (said.contains(name)) return {find(is_composed ? Kind::Name : Kind::PartOfName, name, 1)};
  std::vector<Find> finds;
  for (std::size_t at = 0; at < name.size();) {
    const std::size_t end = std::min(name.find_first_of("-_.", at), name.size());
    const std::string part = name.substr(at, end - at);
    const bool is_new =
        std::none_of(finds.begin(), finds.end(), [&](const Find& one) { return one.clue == part; });
    if (part.size() >= 3 && is_new && said.contains(part))
      finds.push_back(find(Kind::PartOfName, part, kHalf));
    at = end + 1;
  }
  return finds;
}

bool is_foreign(std::string_view path) {
  static const std::set<std::string_view> kForeign = {
      "node_modules", "vendor", "vendored", "third_party", "site-packages", "bower_components", "Pods"};
  const std::vector<std::string_view> parts = parts_of(path);
  return std::any_of(parts.begin(), parts.end(),
                     [&](std::string_view part) { return kForeign.contains(part); });
}

PathFind best_path(std::string_view clue, const std::vector<std::string>& files) {
  const std::vector<std::string_view> wanted = parts_of(clue);
  const bool has_ending = stem_of(wanted.back()) != wanted.back();
  PathFind best;
  for (const std::string& file : files) {
    const std::size_t slash = file.rfind('/');
    const std::string_view last = std::string_view(file).substr(slash == std::string::npos ? 0 : slash + 1);
    if ((has_ending ? last : stem_of(last)) != wanted.back() || is_foreign(file)) continue;
    const std::vector<std::string_view> parts = parts_of(file);
    std::size_t same = 1;
    while (same < wanted.size() && same < parts.size() &&
           wanted[wanted.size() - 1 - same] == parts[parts.size() - 1 - same])
      ++same;
    if (same > best.parts) best = {file, same};
  }
  return best;
}

double fit_of(std::string_view clue, std::size_t parts) {
  const std::vector<std::string_view> wanted = parts_of(clue);
  const bool has_ending = stem_of(wanted.back()) != wanted.back();
  // A class by its package, or not at all.
  if (!has_ending && parts < 3) return 0;
  if (parts >= 3) return std::min(1.0, 0.75 + 0.05 * static_cast<double>(parts));
  if (parts == 2) return 0.7;
  if (parts == 0 || is_usual(wanted.back())) return 0;
  return wanted.size() == 1 ? 0.4 : 0.3;
}

}  // namespace discovery
