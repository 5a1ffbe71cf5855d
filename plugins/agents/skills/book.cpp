#include "skills/book.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <system_error>

#include "davit/failure.hpp"
#include "shipped.h"

namespace skills {
namespace {

namespace fs = std::filesystem;
using davit::Failure;

constexpr std::uintmax_t kMostBytes = 256 * 1024;

std::string read_file(const fs::path& path) {
  std::error_code error;
  if (!fs::is_regular_file(path, error))
    throw Failure::permanent("skill " + path.string() + " is no file that can be read");
  std::ifstream stream(path, std::ios::binary);
  if (!stream)
    throw Failure::permanent("skill " + path.string() + " cannot be read: " + std::strerror(errno));
  std::string text(kMostBytes + 1, '\0');
  stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (stream.bad()) throw Failure::permanent("skill " + path.string() + " cannot be read");
  text.resize(static_cast<std::size_t>(stream.gcount()));
  if (text.size() > kMostBytes)
    throw Failure::permanent("skill " + path.string() + " is larger than 256 KiB; make it shorter");
  return text;
}

}  // namespace

Book::Book(const fs::path& own) {
  for (const Shipped& shipped : kShipped)
    skills_.emplace(shipped.name, parse_skill(shipped.text, std::string(shipped.name) + ".md"));
  if (!own.empty()) read_own(own);
}

void Book::read_own(const fs::path& own) {
  if (!own.is_absolute())
    throw Failure::permanent("skills.directory " + own.string() + " must be an absolute path");
  std::error_code error;
  fs::directory_iterator entries(own, error);
  if (error)
    throw Failure::permanent("skills.directory " + own.string() + " cannot be read: " + error.message());
  for (; entries != fs::directory_iterator(); entries.increment(error)) {
    const fs::path& path = entries->path();
    if (path.extension() != ".md" || path.filename() == "README.md") continue;
    const auto shipped = skills_.find(path.stem().string());
    if (shipped == skills_.end()) {
      std::string names;
      for (const auto& [name, skill] : skills_) names += (names.empty() ? "" : ", ") + name;
      throw Failure::permanent("skill " + path.string() + " takes the place of none; there are " + names);
    }
    const std::string text = read_file(path);
    const Skill before = shipped->second;
    shipped->second = parse_skill(text, path.string(), &before);
  }
  if (error)
    throw Failure::permanent("skills.directory " + own.string() + " cannot be read: " + error.message());
}

const Skill& Book::find(std::string_view name) const {
  const auto found = skills_.find(name);
  if (found == skills_.end()) throw Failure::internal("there is no skill " + std::string(name));
  return found->second;
}

}  // namespace skills
