// What git reads that is not an argument can run programs: configuration (of the system, the user, a
// repository), hooks, attributes with filters, a pager, an editor, helpers. So none of it is read but the
// repository's own configuration, which davit alone writes, and what could run anything is named off as well.
#include "git_workspace/command.h"

#include <algorithm>

#include "davit/text.hpp"

namespace git {
namespace {

namespace fs = std::filesystem;
using child::Finished;
using child::Stopped;
using davit::Failure;

constexpr std::string_view kPath = "/usr/local/bin:/usr/bin:/bin";
constexpr std::size_t kLongestComplaint = 300;
constexpr std::uintmax_t kFull = 1024 * 1024;  // bytes that are left of a disk: git fails with some left, too

// Called by git as `f get`; says nothing to `f store` and `f erase`.
constexpr std::string_view kHelper =
    R"(!f() { test "$1" = get && printf 'username=x-access-token\npassword=%s\n' "$DAVIT_GIT_PASSWORD"; }; f)";

std::vector<std::string> settings_for(bool on_objects) {
  return {"core.hooksPath=/dev/null",
          "core.fsmonitor=false",
          "core.attributesFile=/dev/null",
          "core.excludesFile=/dev/null",
          "core.quotePath=false",
          on_objects ? "core.bare=true" : "core.bare=false",
          "protocol.allow=never",
          "safe.bareRepository=explicit",
          "submodule.recurse=false",
          "fetch.recurseSubmodules=false",
          "credential.helper=",
          "gc.auto=0",
          "maintenance.auto=false",
          "advice.detachedHead=false"};
}

std::vector<std::string> settings_for(const Remote& remote, std::chrono::seconds silence) {
  return {"protocol." + remote.scheme + ".allow=always",
          "credential." + remote.origin() + ".helper=" + std::string(kHelper),
          "fetch.unpackLimit=1",  // packs as they come: a large file is not held in memory
          "http.followRedirects=false",
          "http.lowSpeedLimit=1000",
          "http.lowSpeedTime=" + std::to_string(silence.count()),
          "http.proxy=",
          "http.sslVerify=true",
          "http.sslVersion=tlsv1.2"};
}

// HOME is no folder: libcurl would find passwords in ~/.netrc.
std::vector<std::string> fixed_environment() {
  return {"PATH=" + std::string(kPath), "HOME=/dev/null",      "LC_ALL=C",
          "GIT_CONFIG_NOSYSTEM=1",      "GIT_ATTR_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null",
          "GIT_TERMINAL_PROMPT=0",      "GIT_ASKPASS=",        "GIT_NO_REPLACE_OBJECTS=1",
          "GIT_LITERAL_PATHSPECS=1"};
}

bool is_plain(std::string_view token) {
  return std::all_of(token.begin(), token.end(), [](unsigned char c) { return c > 0x20 && c < 0x7f; });
}

bool says(const Finished& finished, std::string_view words) {
  return finished.err.find(words) != std::string::npos;
}

// What git writes behind the last colon of a line, as strerror(3) says it: a file may have any other name.
bool is_for_want_of_a_disk(std::string_view line) {
  for (const std::string_view words :
       {": No space left on device", ": Disk quota exceeded", ": Input/output error"}) {
    if (line.ends_with(words)) return true;
  }
  return false;
}

// Not each command says why it could not write.
bool is_full(const fs::path& folder) {
  std::error_code error;
  const fs::space_info space = fs::space(folder, error);
  return !error && space.available < kFull;
}

// Nobody's misdeed, and nothing that lasts.
void check_disk(const Finished& finished, const fs::path& git_dir, const Call& call,
                const std::string& doing) {
  if (finished.stopped != Stopped::No || finished.wait_status == 0) return;
  for (std::string_view rest = finished.err; !rest.empty();) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (is_for_want_of_a_disk(line))
      throw Failure::retryable(doing + ": " + complaint_in(line) + " (look after the disk)");
  }
  if (is_full(git_dir) || (!call.work_tree.empty() && is_full(call.work_tree)))
    throw Failure::retryable(doing + ": " + complaint_in(finished.err) + " (the disk is full)");
}

}  // namespace

bool looks_damaged(const Finished& finished) {
  for (const std::string_view words :
       {"bad object", "missing object", "corrupt", "not a git repository", "unable to read", "bad config",
        "unexpected line in", "did not send all necessary objects", "unresolved deltas"}) {
    if (says(finished, words)) return true;
  }
  return false;
}

bool is_object_id(std::string_view text) {
  return (text.size() == 40 || text.size() == 64) && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

std::string complaint_in(std::string_view errors) {
  std::string found;
  bool grave = false;
  for (std::string_view rest = errors; !rest.empty();) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    // What goes on behind a carriage return is progress.
    if (const std::size_t back = line.rfind('\r'); back != std::string_view::npos && back + 1 < line.size())
      line.remove_prefix(back + 1);
    bool is_grave = false;
    for (const std::string_view mark : {"fatal: ", "error: "}) {
      if (line.substr(0, mark.size()) != mark) continue;
      line.remove_prefix(mark.size());
      is_grave = true;
      break;
    }
    if (line.empty() || (grave && !is_grave)) continue;
    found = line;
    grave = grave || is_grave;
  }
  std::string text;
  for (const char c : davit::to_utf8(found)) {
    const auto byte = static_cast<unsigned char>(c);
    text += byte < 0x20 || byte == 0x7f ? ' ' : c;
  }
  text.resize(davit::utf8_prefix(std::string_view(text).substr(0, kLongestComplaint)));
  return text;
}

std::string lack_of_git() {
  try {
    child::find_program("git", kPath, "");
    return "";
  } catch (const Failure&) {
    return "git is in no folder of " + std::string(kPath) + ": install it";
  }
}

Git::Git(Limits limits, Cancel cancelled, redact::Redactor secrets)
    : limits_(limits), cancelled_(std::move(cancelled)), secrets_(std::move(secrets)) {
  if (const std::string lack = lack_of_git(); !lack.empty()) throw Failure::permanent(lack);
  program_ = child::find_program("git", kPath, "");
}

Git Git::telling_damage(std::function<void()> told) const {
  Git git = *this;
  git.tell_damage_ = std::move(told);
  return git;
}

void Git::check_damage(const Finished& finished, const std::string& doing) const {
  if (finished.succeeded() || !tell_damage_ || !looks_damaged(finished)) return;
  tell_damage_();
  throw Failure::retryable(doing + ": " + complaint_in(finished.err) +
                           " (its mirror is damaged; the next fetch makes it anew)");
}

Finished Git::start(const fs::path& git_dir, const Call& call, const std::vector<std::string>& more_options,
                    const std::vector<std::string>& more_environment, std::chrono::milliseconds wall,
                    const Cancel& cancelled, const std::string& doing) const {
  child::Program program;
  program.path = program_;
  program.arguments = {"git", "--no-pager", "--git-dir=" + git_dir.string()};
  const bool on_objects = call.work_tree.empty();
  if (!on_objects) program.arguments.push_back("--work-tree=" + call.work_tree.string());
  for (const auto& settings : {settings_for(on_objects), more_options}) {
    for (const std::string& setting : settings) {
      program.arguments.push_back("-c");
      program.arguments.push_back(setting);
    }
  }
  program.arguments.insert(program.arguments.end(), call.arguments.begin(), call.arguments.end());
  program.environment = fixed_environment();
  for (const auto& more : {call.environment, more_environment})
    program.environment.insert(program.environment.end(), more.begin(), more.end());
  program.working_directory = (on_objects ? git_dir : call.work_tree).string();

  Finished finished = child::run_to_end(program, call.input, {wall, call.most_output}, cancelled);
  if (finished.stopped == Stopped::TimedOut) {
    throw Failure::retryable(doing + ": git was not done after " + std::to_string(wall.count() / 1000) +
                             " s and was ended");
  }
  return finished;
}

Finished Git::run(const fs::path& git_dir, const Call& call, const std::string& doing) const {
  Finished finished = start(git_dir, call, {}, {}, limits_.local, cancelled_, doing);
  if (finished.stopped == Stopped::Cancelled) throw Failure::cancelled(doing + ": cancelled");
  finished.err = secrets_(finished.err);
  check_disk(finished, git_dir, call, doing);
  check_damage(finished, doing);
  return finished;
}

std::string Git::output(const fs::path& git_dir, const Call& call, const std::string& doing) const {
  Finished finished = run(git_dir, call, doing);
  if (finished.stopped == Stopped::TooMuch) {
    throw Failure::permanent(doing + ": git's answer has more than " +
                             std::to_string(call.most_output >> 10) + " KiB");
  }
  if (finished.wait_status != 0) {
    const std::string complaint = complaint_in(finished.err);
    throw Failure::permanent(doing + ": git " + child::describe_end(finished.wait_status) +
                             (complaint.empty() ? "" : ": " + complaint));
  }
  return std::move(finished.out);
}

Finished Git::talk(const fs::path& git_dir, const Call& call, const Remote& remote, const Token& token,
                   std::chrono::milliseconds wall, const Cancel& watch, const std::string& doing) const {
  const std::string password = token ? token() : "";
  if (!is_plain(password))
    throw Failure::permanent(doing + ": the token holds a space or a line break: store it without");
  std::vector<std::string> environment;
  if (!password.empty()) environment.push_back("DAVIT_GIT_PASSWORD=" + password);
  bool ended_by_watch = false;
  const Cancel cancelled = [&] {
    if (cancelled_ && cancelled_()) return true;
    return ended_by_watch = watch && watch();
  };
  Finished finished =
      start(git_dir, call, settings_for(remote, limits_.silence), environment, wall, cancelled, doing);
  if (finished.stopped == Stopped::Cancelled && !ended_by_watch)
    throw Failure::cancelled(doing + ": cancelled");
  finished.err = secrets_(redact::Redactor({password})(finished.err));
  finished.out = secrets_(redact::Redactor({password})(finished.out));
  check_disk(finished, git_dir, call, doing);
  check_damage(finished, doing);
  return finished;
}

Failure Git::refusal(const Finished& finished, const std::string& doing) const {
  std::string complaint = complaint_in(finished.err);
  if (complaint.empty()) complaint = "git " + child::describe_end(finished.wait_status);
  const std::string message = doing + ": " + complaint;
  if (says(finished, "could not read Username") || says(finished, "Authentication failed") ||
      says(finished, "could not read Password")) {
    return Failure::unauthorized(message +
                                 " (the server wants another token: check the one that is granted)");
  }
  if (says(finished, "The requested URL returned error: 403"))
    return Failure::unauthorized(message + " (the token does not allow it)");
  if (says(finished, "' not found") || says(finished, "Repository not found") ||
      says(finished, "couldn't find remote ref") || says(finished, "The requested URL returned error: 404"))
    return Failure::not_found(message + " (it is not there, or the token may not see it)");
  if (says(finished, "The requested URL returned error: 30"))
    return Failure::permanent(message + " (it has moved: name the repository by its address of today)");
  if (says(finished, "SSL certificate") || says(finished, "server certificate"))
    return Failure::permanent(message);
  return Failure::retryable(message);
}

}  // namespace git
