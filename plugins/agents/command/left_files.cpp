#include "left_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>
#include <vector>

#include "child_process/child_process.h"

namespace command {
namespace {

constexpr std::size_t kMostFiles = 64;

std::string type_of(const std::string& name) {
  static constexpr std::pair<const char*, const char*> kTypes[] = {
      {".txt", "text/plain"},   {".log", "text/plain"},   {".diff", "text/plain"},
      {".patch", "text/plain"}, {".md", "text/markdown"}, {".json", "application/json"},
      {".html", "text/html"},   {".png", "image/png"}};
  const std::string ending = std::filesystem::path(name).extension();
  for (const auto& [known, type] : kTypes)
    if (ending == known) return type;
  return "application/octet-stream";
}

// The content, or why not.
std::optional<std::string> read_whole(const std::filesystem::path& file, std::size_t most, std::string& why) {
  // Not blocking: it may be a pipe that nobody writes to.
  const child::Descriptor opened(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  struct stat info {};
  if (opened.number() < 0 || ::fstat(opened.number(), &info) != 0) {
    why = std::strerror(errno);
    return std::nullopt;
  }
  if (!S_ISREG(info.st_mode)) {
    why = "it is no regular file";
    return std::nullopt;
  }
  std::string content;
  char piece[64 * 1024];
  for (ssize_t got; (got = ::read(opened.number(), piece, sizeof piece)) != 0;) {
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      why = std::strerror(errno);
      return std::nullopt;
    }
    content.append(piece, static_cast<std::size_t>(got));
    if (content.size() > most) {
      why = "it has more than " + std::to_string(most) + " bytes";
      return std::nullopt;
    }
  }
  return content;
}

}  // namespace

void each_left_file(const std::filesystem::path& folder, std::size_t most,
                    const std::function<void(LeftFile)>& take,
                    const std::function<void(const std::string&, const std::string&)>& left_out) {
  std::vector<std::string> names;
  std::error_code unreadable;
  for (std::filesystem::directory_iterator entry(folder, unreadable), end; !unreadable && entry != end;
       entry.increment(unreadable))
    names.push_back(entry->path().filename());
  std::sort(names.begin(), names.end());
  for (std::size_t i = 0; i < names.size(); ++i) {
    std::string why;
    if (i == kMostFiles) {
      left_out(names[i], "it and " + std::to_string(names.size() - i - 1) + " more come after the first 64");
      return;
    }
    if (auto content = read_whole(folder / names[i], most, why)) {
      take({names[i], type_of(names[i]), std::move(*content)});
    } else {
      left_out(names[i], why);
    }
  }
}

}  // namespace command
