#include "executor/work_order.h"

#include <algorithm>

namespace executor {
namespace {

using skills::Form;
using skills::Part;
using skills::Trust;

constexpr std::size_t kMostOfComplaint = 128 * 1024;

std::string joined(const std::vector<std::string>& list) {
  std::string text;
  for (const std::string& one : list) text += (text.empty() ? "" : ", ") + one;
  return text;
}

std::string limits_of(const Settings& settings, bool bound) {
  const git::Gate& gate = settings.gate;
  std::string text = "At most " + std::to_string(gate.most_files) + " files and a diff of at most " +
                     std::to_string(gate.most_bytes) +
                     " bytes. Only files that match one of: " + joined(gate.allow) +
                     ". Never a file that matches one of: " + joined(gate.deny) +
                     ". No secrets, no submodules, no copies of other repositories, no symbolic links that "
                     "lead out of the repository.";
  if (!gate.binaries) text += " No binary files.";
  if (!gate.executables) text += " No file may become executable.";
  if (!bound) return text;
  text += " Only files that the plan names";
  if (!settings.test_paths.empty())
    text += ", and tests, which are files that match one of: " + joined(settings.test_paths);
  text += ". A change that touches any other file is refused as a whole.";
  return text;
}

Part ours(std::string name, std::string text) {
  return {.name = std::move(name), .text = std::move(text), .trust = Trust::Ours};
}

Part verbatim(std::string name, std::string text, std::string source) {
  return {.name = std::move(name),
          .text = std::move(text),
          .form = Form::Verbatim,
          .source = std::move(source),
          .most = kMostOfComplaint};
}

std::string test_command_of(const Settings& settings) {
  if (settings.test_command.empty()) return "none is configured";
  std::string text = in_words(settings.test_command);
  if (!settings.setup_command.empty()) text = in_words(settings.setup_command) + " && " + text;
  return text;
}

std::vector<std::string> texts_of(davit::JsonView list) {
  std::vector<std::string> texts;
  for (const davit::JsonView text : list) texts.emplace_back(text.string_or(""));
  std::erase(texts, "");
  return texts;
}

}  // namespace

Order to_execute(const Settings& settings, const work::Item& item, const Complaint& complaint, bool bound) {
  const work::Request& request = item.request;
  return {.skill = "execute-plan",
          .parts = {ours("repository", item.repository),
                    // A person read it and approved it.
                    ours("plan", item.plan->document.dump()),
                    {.name = "request",
                     .text = request.title + "\n\n" + request.text,
                     .source = request.source,
                     .author = request.author},
                    ours("limits", limits_of(settings, bound)),
                    ours("test_command", test_command_of(settings)),
                    verbatim("failures", complaint.text, complaint.source)}};
}

Order to_repair(const Settings& settings, const work::Item& item, const Complaint& complaint, bool bound,
                const std::string& change) {
  return {
      .skill = "fix-ci",
      .parts = {
          ours("repository", item.repository), ours("mode", "repair"),
          ours("plan", item.plan->document.dump()),
          ours("checks", "They stand in what follows, which may also be what a review found."),
          verbatim("log", complaint.text, complaint.source), verbatim("changes", change, "the pull request"),
          ours("limits", limits_of(settings, bound) + " The command that will be run to judge your work: " +
                             test_command_of(settings))}};
}

Answer Answer::from(davit::JsonView structured) {
  const std::string message(structured["commit_message"].string_or(""));
  const std::size_t end = std::min(message.find('\n'), message.size());
  const std::size_t rest = message.find_first_not_of('\n', end);
  Answer answer{.subject = message.substr(0, end),
                .body = rest == std::string::npos ? "" : message.substr(rest),
                .deviations = texts_of(structured["deviations"]),
                .warnings = texts_of(structured["warnings"])};
  const std::string_view summary = structured["summary"].string_or(structured["explanation"].string_or(""));
  if (answer.body.empty()) answer.body = summary;
  return answer;
}

std::string in_words(const std::vector<std::string>& command) {
  std::string text;
  for (const std::string& word : command) text += (text.empty() ? "" : " ") + word;
  return text;
}

}  // namespace executor
