#include "host/live/probe_notes.h"

#include <fcntl.h>

#include <system_error>
#include <vector>

#include "host/base/file.h"

namespace davit::live {
namespace {

constexpr std::string_view kSuffix = ".probing";

}  // namespace

ProbeNote::ProbeNote(const std::filesystem::path& stored_file)
    : file_(stored_file.parent_path() / (stored_file.stem().string() + std::string(kSuffix))) {
  const UniqueFd made(::open(file_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
}

ProbeNote::~ProbeNote() {
  std::error_code ignored;
  std::filesystem::remove(file_, ignored);
}

std::set<std::string> ProbeNote::take_left_behind(const std::filesystem::path& store_folder) {
  std::vector<std::filesystem::path> files;
  std::error_code failed;
  for (std::filesystem::directory_iterator at(store_folder, failed), end; !failed && at != end;
       at.increment(failed)) {
    if (at->path().filename().string().ends_with(kSuffix)) files.push_back(at->path());
  }
  std::set<std::string> hashes;
  for (const std::filesystem::path& file : files) {
    hashes.insert(file.stem().string());
    std::filesystem::remove(file, failed);
  }
  return hashes;
}

}  // namespace davit::live
