#include "executor/record.h"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <sstream>

#include "davit/text.hpp"
#include "plan_page/plan_page.h"
#include "source_note/neutral.h"

namespace executor {
namespace {

constexpr const char* kTrailer = "Davit-Task";
constexpr std::string_view kVerdicts[] = {"passed", "failed", "untested"};
constexpr std::size_t kMostMessage = 12 * 1024;
constexpr std::size_t kMostSubject = 100, kMostBody = 8 * 1024, kMostDeviations = 50, kMostDeviation = 500;

}  // namespace

std::string_view name_of(Verdict verdict) { return kVerdicts[static_cast<std::size_t>(verdict)]; }

git::Trailer Record::trailer() const {
  std::string place = chain;  // as an agent handed it on
  std::erase_if(place, [](unsigned char c) { return c <= ' ' || c >= 0x7f; });
  return {kTrailer, place + "/" + std::to_string(round) + " " + task + " " + plan_sha256 + " " +
                        change_sha256 + " " + std::string(name_of(verdict))};
}

std::optional<Record> Record::in(std::string_view message) {
  const std::optional<std::string> line = git::trailer(message, kTrailer);
  if (!line) return std::nullopt;
  std::istringstream words(*line);
  Record record;
  std::string place, verdict, more;
  if (!(words >> place >> record.task >> record.plan_sha256 >> record.change_sha256 >> verdict) ||
      words >> more)
    return std::nullopt;
  const std::size_t slash = place.rfind('/');
  if (slash == std::string::npos) return std::nullopt;
  record.chain = place.substr(0, slash);
  const char* const end = place.data() + place.size();
  if (std::from_chars(place.data() + slash + 1, end, record.round).ptr != end) return std::nullopt;
  const auto* const known = std::find(std::begin(kVerdicts), std::end(kVerdicts), verdict);
  if (known == std::end(kVerdicts)) return std::nullopt;
  record.verdict = static_cast<Verdict>(known - std::begin(kVerdicts));
  return record;
}

std::string message_of(std::string_view subject, std::string_view body,
                       const std::vector<std::string>& deviations) {
  std::string message = plan_page::in_line(subject, kMostSubject);
  if (message.empty()) message = "Carry out the plan";
  if (const std::string text = note::neutral(body, note::Markup::Github, kMostBody); !text.empty())
    message += "\n\n" + text;
  if (!deviations.empty()) message += "\n\nWhere the plan was left:";
  for (std::size_t i = 0; i < deviations.size() && i < kMostDeviations; ++i)
    message += "\n- " + plan_page::in_line(deviations[i], kMostDeviation);
  message.resize(davit::utf8_prefix(std::string_view(message).substr(0, kMostMessage)));
  return message;
}

std::string words_of(const std::string& message) {
  return Record::in(message) ? message.substr(0, message.rfind("\n\n")) : message;
}

std::optional<Found> found_in(const std::vector<git::Commit>& newest_first, std::string_view task,
                              std::string_view plan_sha256) {
  for (const git::Commit& commit : newest_first) {
    const std::optional<Record> record = Record::in(commit.message);
    if (record && record->task == task && record->plan_sha256 == plan_sha256) return Found{commit, *record};
  }
  return std::nullopt;
}

}  // namespace executor
