// A line for each report: five numbers, and whether the cost is an estimate. They are appended, so whenever the
// writer is killed the last whole line counts.
#include "host/isolation/usage_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cinttypes>
#include <cstdio>
#include <string_view>
#include <utility>

namespace davit::isolation {
namespace {

constexpr off_t kMostRead = 4096;  // more than any line

std::optional<Usage> totals_of(const std::string& line) {
  Usage usage;
  int estimate = 0, end = 0;
  const int read = std::sscanf(line.c_str(), "%" SCNd64 " %" SCNd64 " %" SCNd64 " %" SCNd64 " %" SCNd64 " %d%n",
                               &usage.input_tokens, &usage.output_tokens, &usage.cache_read_tokens,
                               &usage.cache_write_tokens, &usage.cost_micro_usd, &estimate, &end);
  if (read != 6 || end != static_cast<int>(line.size())) return std::nullopt;
  for (const auto measure :
       {&ModelUsage::input_tokens, &ModelUsage::output_tokens, &ModelUsage::cache_read_tokens,
        &ModelUsage::cache_write_tokens, &ModelUsage::cost_micro_usd}) {
    if (usage.*measure < 0) return std::nullopt;
  }
  usage.cost_is_estimate = estimate != 0;
  return usage;
}

}  // namespace

void UsageFile::begin(std::string path) {
  path_ = std::move(path);
  file_ = UniqueFd();
}

void UsageFile::add(const Usage& totals) {
  if (path_.empty()) return;
  if (!file_.open())
    file_ = UniqueFd(::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file_.open()) return;
  std::array<char, 160> line{};
  const int size = std::snprintf(
      line.data(), line.size(), "%" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %d\n",
      totals.input_tokens, totals.output_tokens, totals.cache_read_tokens, totals.cache_write_tokens,
      totals.cost_micro_usd, totals.cost_is_estimate ? 1 : 0);
  static_cast<void>(::write(file_.number(), line.data(), static_cast<std::size_t>(size)) == size);
}

std::optional<Usage> read_usage_file(const std::filesystem::path& path) {
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  struct stat status {};
  if (!file.open() || ::fstat(file.number(), &status) != 0 || !S_ISREG(status.st_mode)) return std::nullopt;
  std::string text(kMostRead, '\0');
  const off_t from = status.st_size > kMostRead ? status.st_size - kMostRead : 0;
  const ssize_t got = ::pread(file.number(), text.data(), text.size(), from);
  text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  const std::size_t end = text.rfind('\n');  // behind it is what was cut off
  if (end == std::string::npos) return std::nullopt;
  const std::size_t before = end == 0 ? std::string::npos : text.rfind('\n', end - 1);
  const std::size_t begin = before == std::string::npos ? 0 : before + 1;
  return totals_of(text.substr(begin, end - begin));
}

}  // namespace davit::isolation
