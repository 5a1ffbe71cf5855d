// Names that come from outside on their way to git: an address and a few words, a line each, then any text.
#include <string>

#include "davit/failure.hpp"
#include "davit/text.hpp"
#include "git_workspace/branch.h"
#include "git_workspace/command.h"
#include "git_workspace/gate.h"
#include "git_workspace/message.h"
#include "git_workspace/path_pattern.h"
#include "git_workspace/remote.h"
#include "tests/fuzz/fuzz.h"

namespace {

using davit::fuzz::promise;

void check_address(std::string_view address) {
  try {
    const git::Remote remote = git::remote_at(address, {"github.com", "127.0.0.1:3000"});
    promise(remote.host == "github.com" || remote.host == "127.0.0.1:3000", "the host is one of the list");
    promise(remote.url.rfind(remote.origin() + "/", 0) == 0, "the address begins with its host");
    promise(remote.scheme == "https" || remote.host != "github.com", "what is sent far is encrypted");
    for (const std::string_view odd : {"..", "//", "/.", "/-", "@", "\n", "%", "?", "#", " "})
      promise(remote.key().find(odd) == std::string::npos, "a key is a plain path");
    promise(!remote.owner.empty() && !remote.name.empty(), "a repository has a name");
  } catch (const davit::Failure& failure) {
    promise(davit::fuzz::is_one_line(failure.what()), "a refusal is one line");
  }
}

void check_branch(std::string_view words, std::string_view id) {
  const std::string name = git::branch_name("davit/", words, id);
  promise(git::valid_branch(name), "a name that was made is valid");
  promise(name.rfind("davit/", 0) == 0 && name.find("/", 6) == std::string::npos, "it lies below the prefix");
  if (!git::valid_branch(words)) return;
  for (const std::string_view odd : {"..", "//", "@{", "#", ":", " ", "~", "^", "\\"})
    promise(words.find(odd) == std::string_view::npos, "a valid name means nothing else");
}

void check_message(std::string_view text) {
  const std::string clean = git::clean_message(text);
  promise(davit::is_utf8(clean), "a message is UTF-8");
  promise(git::clean_message(clean) == clean, "what is clean stays as it is");
  promise(git::trailer(git::with_trailer(text, "Davit-Task", "1/2"), "Davit-Task") == "1/2",
          "a trailer is found");
  promise(!git::trailer(git::with_trailer(text, "Other", "1"), "Davit-Task"), "no text pretends to be one");
  const std::string complaint = git::complaint_in(text);
  promise(complaint.empty() || davit::fuzz::is_one_line(complaint), "a complaint is one line");
  promise(davit::is_utf8(complaint) && complaint.size() <= 300, "a complaint is short");
}

void check_gate(std::string_view pattern, std::string_view path, std::string_view target) {
  if (git::path_matches(pattern, path, git::Case::Counts))
    promise(git::path_matches(pattern, path, git::Case::Ignored), "case only adds matches");
  promise(git::path_matches("**", path, git::Case::Counts), "two stars match everything");

  git::File file;
  file.path = "a/b/link";
  file.new_mode = git::kLink;
  const auto refused = git::judge({}, {file}, {{"", std::string(target)}}, 1, {}, redact::Redactor());
  for (const git::Refusal& refusal : refused)
    promise(davit::fuzz::is_one_line(refusal.sentence), "a refusal is one line");
  if (!refused.empty()) return;
  promise(target.front() != '/', "a link is relative");
  int depth = 2;
  while (!target.empty()) {
    const std::string_view part = davit::fuzz::cut(target, "/");
    if (part == "..") --depth;
    if (part != ".." && part != "." && !part.empty()) ++depth;
    promise(depth >= 0, "a link stays inside");
  }
}

void check_paths(std::string_view path) {
  git::File file;
  file.path = path;
  file.new_mode = git::kPlain;
  for (const git::Refusal& refusal : git::judge({}, {file}, {{"", ""}}, 1, {}, redact::Redactor())) {
    promise(davit::is_utf8(refusal.path), "a path that is told is UTF-8");
    promise(davit::fuzz::is_one_line(refusal.sentence), "a refusal is one line");
  }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text = davit::fuzz::as_text(data, size);
  const std::string_view address = davit::fuzz::cut(text, "\n");
  const std::string_view words = davit::fuzz::cut(text, "\n");
  check_address(address);
  check_branch(words, address);
  check_message(text);
  if (size < 4096) check_gate(words, address, text);
  check_paths(words);
  return 0;
}
