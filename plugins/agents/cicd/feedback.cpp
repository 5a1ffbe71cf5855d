#include "cicd/feedback.h"

#include <algorithm>

#include "log_text/log_text.h"

namespace cicd {
namespace {

bool has_log(const Failed& failed) { return failed.cause == Cause::Real && !failed.log.empty(); }

}  // namespace

std::string feedback_for(const std::string& sha, std::span<const Failed> failed, bool started_again,
                         std::size_t log_bytes) {
  std::string text = "Checks of commit " + sha + " failed" +
                     (started_again ? ", also when they were started again" : "") + ":\n";
  for (const Failed& one : failed) {
    text += "- " + one.name + ": " + one.check.conclusion;
    if (one.cause != Cause::Real) text += ", not by the change (" + std::string(name_of(one.cause)) + ")";
    text += "\n";
  }
  const auto logs = static_cast<std::size_t>(std::count_if(failed.begin(), failed.end(), has_log));
  for (const Failed& one : failed) {
    if (has_log(one))
      text +=
          "\nThe end of what " + one.name + " said:\n" + log_text::end_of(one.log, log_bytes / logs) + "\n";
    else if (one.cause == Cause::Real && !one.why_no_log.empty())
      text += "\n" + one.name + ": " + one.why_no_log + "\n";
  }
  return text;
}

}  // namespace cicd
