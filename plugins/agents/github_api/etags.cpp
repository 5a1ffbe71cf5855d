// One file an answer, named by the digest of account and address. Its first line says what it is and has the
// digest of the rest: a file that was cut off or belongs elsewhere is none.
#include "github_api/etags.h"

#include <algorithm>
#include <system_error>
#include <utility>
#include <vector>

#include "davit/failure.hpp"
#include "davit/json.hpp"
#include "shared_files/digest.h"
#include "shared_files/files.h"

namespace github {

namespace fs = std::filesystem;
using davit::Failure;
using davit::Json;

Etags::Etags(fs::path folder, std::string account, std::size_t most_bytes)
    : folder_(std::move(folder)),
      account_(std::move(account)),
      most_bytes_(most_bytes),
      unswept_(most_bytes) {}

fs::path Etags::file_of(const std::string& url) const {
  return folder_ / shared::digest_of(account_ + "\n" + url);
}

std::optional<Etags::Kept> Etags::find(const std::string& url) const {
  const fs::path file = file_of(url);
  std::optional<std::string> content = shared::read_file(file, most_bytes_);
  if (!content) return std::nullopt;
  const std::size_t end = content->find('\n');
  if (end == std::string::npos) return std::nullopt;
  Json head;
  try {
    head = Json::parse(std::string_view(*content).substr(0, end));
  } catch (const Failure&) {
    return std::nullopt;
  }
  Kept kept{.etag = std::string(head["etag"].string_or("")),
            .body = content->substr(end + 1),
            .link = std::string(head["link"].string_or(""))};
  const bool whole = head["url"] == url && head["body"] == shared::digest_of(kept.body) && !kept.etag.empty();
  if (!whole) return std::nullopt;
  std::error_code ignored;  // it was used, which is all this says
  fs::last_write_time(file, fs::file_time_type::clock::now(), ignored);
  return kept;
}

void Etags::keep(const std::string& url, const Kept& answer) {
  if (answer.body.size() > most_bytes_ / 8) return;
  const Json head = Json::object(
      {{"url", url}, {"etag", answer.etag}, {"link", answer.link}, {"body", shared::digest_of(answer.body)}});
  try {
    shared::make_private_folder(folder_);
    shared::replace_file(file_of(url), head.dump() + "\n" + answer.body);
  } catch (const Failure&) {
    return;  // a cache that cannot be written is none
  }
  unswept_ += answer.body.size();
  if (unswept_ < most_bytes_ / 16) return;
  make_room();
  unswept_ = 0;
}

void Etags::make_room() const {
  struct File {
    fs::file_time_type used;
    std::uintmax_t size;
    fs::path path;
  };
  std::vector<File> files;
  std::uintmax_t bytes = 0;
  std::error_code error;  // of what others remove meanwhile
  for (fs::directory_iterator entry(folder_, error), end; !error && entry != end; entry.increment(error)) {
    std::error_code gone;
    const File file{entry->last_write_time(gone), entry->file_size(gone), entry->path()};
    if (gone) continue;
    bytes += file.size;
    files.push_back(file);
  }
  std::sort(files.begin(), files.end(), [](const File& a, const File& b) { return a.used < b.used; });
  for (const File& file : files) {
    if (bytes <= most_bytes_) return;
    fs::remove(file.path, error);
    bytes -= file.size;
  }
}

}  // namespace github
