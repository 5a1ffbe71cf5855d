#include "git_workspace/mirrors.h"

#include <algorithm>
#include <fstream>

#include "git_workspace/branch.h"
#include "git_workspace/folder.h"

namespace git {
namespace {

namespace fs = std::filesystem;
using child::Finished;
using child::Stopped;
using davit::Failure;
using shared::FileLock;
using Clock = std::chrono::steady_clock;

// What a mirror has once it was fetched as a whole, and until damage is seen in it: where it comes from. Its
// time is that of the last fetch.
constexpr const char* kAddress = "davit-address";

std::string address_in(const fs::path& folder) {
  std::string address;
  std::getline(std::ifstream(folder / kAddress), address);
  return address;
}

std::chrono::system_clock::time_point time_of(const fs::path& folder) {
  std::error_code error;
  const fs::file_time_type time = fs::last_write_time(folder / kAddress, error);
  return error ? std::chrono::system_clock::time_point() : std::chrono::file_clock::to_sys(time);
}

fs::path beside(const fs::path& folder, const char* end) {
  return folder.parent_path() / (folder.stem().string() + end);
}
fs::path fetch_lock(const fs::path& folder) { return beside(folder, ".fetch.lock"); }
fs::path use_lock(const fs::path& folder) { return beside(folder, ".use.lock"); }

// Throws davit::Failure: Cancelled, Retryable when `wall` is over.
FileLock lock_of(const fs::path& file, FileLock::Kind kind, std::chrono::milliseconds wall,
                 const Cancel& cancelled) {
  const Clock::time_point end = Clock::now() + wall;
  auto lock = FileLock::wait(file, kind, [&] {
    if (cancelled && cancelled())
      throw Failure::cancelled("waiting for " + file.string() + " was cancelled");
    return Clock::now() < end;
  });
  if (!lock)
    throw Failure::retryable("somebody else had the lock " + file.string() + " for " +
                             std::to_string(wall.count() / 1000) + " s");
  return *std::move(lock);
}

// A repository that was too large has the limit of then beside its mirror, so that it is not fetched in vain
// again until there is more room.
fs::path large_mark(const fs::path& folder) { return beside(folder, ".large"); }
bool is_known_large(const fs::path& folder, std::uint64_t limit) {
  std::uint64_t then = 0;
  return (std::ifstream(large_mark(folder)) >> then) && limit <= then;
}

bool ends_with(const std::string& text, std::string_view end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

// What a git that was killed left: its locks would stop every later one, its half packs fill the disk. Only
// for the holder of the fetch lock.
void remove_left_overs(const fs::path& folder) {
  std::vector<fs::path> left;
  std::error_code error;
  for (fs::recursive_directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    const bool in_objects = *entry->path().lexically_relative(folder).begin() == "objects";
    if (in_objects ? name.rfind("tmp_", 0) == 0 || name.rfind(".tmp-", 0) == 0 : ends_with(name, ".lock"))
      left.push_back(entry->path());
  }
  for (const fs::path& file : left) fs::remove(file, error);
}

void add_pulls(std::vector<std::string>& arguments, const std::vector<int>& pulls) {
  for (const int number : pulls) {
    const std::string ref = "refs/pull/" + std::to_string(number) + "/head";
    arguments.push_back("+" + ref + ":" + ref);
  }
}

// The next fetch makes it anew.
void distrust(const fs::path& folder) {
  std::error_code error;
  fs::remove(folder / kAddress, error);
}

std::string doing(const Remote& remote) { return "cannot fetch " + remote.key(); }

}  // namespace

Mirrors::Mirrors(Settings settings, Cancel cancelled)
    : settings_(std::move(settings)), git_(settings_.limits, std::move(cancelled), settings_.secrets) {
  const std::string& prefix = settings_.prefix;
  if (prefix.size() < 2 || prefix.back() != '/' || prefix.size() > 60 ||
      !valid_branch(std::string_view(prefix).substr(0, prefix.size() - 1)))
    throw Failure::permanent("git.prefix " + prefix +
                             " cannot begin the name of a branch: write it as davit/");
  // In the file that leads to a mirror each line is a path.
  if (!settings_.state_folder.is_absolute() ||
      settings_.state_folder.string().find('\n') != std::string::npos)
    throw Failure::permanent("the folder of mirrors is not named by an absolute path of one line");
}

fs::path Mirrors::folder_of(const Remote& remote) const {
  return settings_.state_folder / "mirrors" / remote.host / remote.owner / (remote.name + ".git");
}

Mirror Mirrors::fetch(const Remote& remote, const Token& token, const std::vector<int>& pulls) {
  const fs::path folder = folder_of(remote);
  std::error_code error;
  fs::create_directories(folder.parent_path(), error);
  if (error) throw Failure::retryable(doing(remote) + ": cannot make its folder: " + error.message());
  fs::permissions(settings_.state_folder / "mirrors", fs::perms::owner_all, error);

  const auto wall = settings_.limits.fetch;
  const FileLock writing = lock_of(fetch_lock(folder), FileLock::Kind::Exclusive, wall, git_.cancelled());
  remove_left_overs(folder);
  const std::uint64_t limit = settings_.limits.mirror_bytes;
  const bool is_large = is_known_large(folder, limit);
  if (!is_sound(remote)) {
    remove_if_unused(remote);
    if (fs::exists(folder)) {
      throw Failure::retryable(doing(remote) +
                               ": its mirror is damaged, and cannot be made anew while others work with it");
    }
  } else if (bytes_below(folder) > limit || is_large != fs::exists(folder / "shallow")) {
    remove_if_unused(remote);
  } else {
    repack_if_unused(remote);
  }
  if (!fs::exists(folder)) make(folder);

  if (is_large || fs::exists(folder / "shallow") || !fetch_all(remote, token, pulls))
    fetch_last(remote, token, pulls);
  if (address_in(folder) != remote.url) write_file(folder / kAddress, remote.url + "\n", doing(remote));
  fs::last_write_time(folder / kAddress, fs::file_time_type::clock::now(), error);
  return Mirror(git_.telling_damage([folder] { distrust(folder); }), remote, folder, settings_.prefix,
                lock_of(use_lock(folder), FileLock::Kind::Shared, wall, git_.cancelled()), time_of(folder));
}

void Mirrors::for_each(const std::function<void(const Mirror&)>& look) const {
  std::vector<fs::path> folders;
  std::error_code error;
  for (fs::recursive_directory_iterator entry(settings_.state_folder / "mirrors", error), end;
       !error && entry != end; entry.increment(error)) {
    if (entry->path().extension() != ".git") continue;
    entry.disable_recursion_pending();
    folders.push_back(entry->path());
  }
  std::sort(folders.begin(), folders.end());
  for (const fs::path& folder : folders) {
    if (const std::optional<Mirror> mirror = open(folder)) look(*mirror);
  }
}

std::optional<Mirror> Mirrors::kept(const Remote& remote) const {
  const fs::path folder = folder_of(remote);
  if (!fs::exists(folder / kAddress)) return std::nullopt;
  return open(folder);
}

// Nullopt for what was not fetched as a whole yet, is of a host that is not in the list any more, or says
// that it is another mirror.
std::optional<Mirror> Mirrors::open(const fs::path& folder) const {
  FileLock in_use =
      lock_of(use_lock(folder), FileLock::Kind::Shared, settings_.limits.local, git_.cancelled());
  std::optional<Remote> remote;
  try {
    remote = remote_at(address_in(folder));
  } catch (const Failure&) {
    return std::nullopt;
  }
  if (folder_of(*remote) != folder) return std::nullopt;
  return Mirror(git_.telling_damage([folder] { distrust(folder); }), *remote, folder, settings_.prefix,
                std::move(in_use), time_of(folder));
}

// Looks at what every command of git needs, and at each branch's commit, in some milliseconds; a hole further
// down is seen by whoever gets there.
bool Mirrors::is_sound(const Remote& remote) const {
  const fs::path folder = folder_of(remote);
  if (!fs::exists(folder / kAddress)) return false;
  const Finished finished = git_.run(folder, {.arguments = {"for-each-ref"}}, doing(remote));
  return finished.succeeded() || finished.stopped == Stopped::TooMuch;
}

void Mirrors::remove_if_unused(const Remote& remote) const {
  const fs::path folder = folder_of(remote);
  const std::optional<FileLock> alone = FileLock::try_take(use_lock(folder));
  if (alone) remove_folder(folder);
}

void Mirrors::repack_if_unused(const Remote& remote) const {
  const fs::path folder = folder_of(remote);
  const std::optional<FileLock> alone = FileLock::try_take(use_lock(folder));
  if (!alone) return;
  try {
    git_.run(folder,
             {.arguments = {"-c", "gc.auto=5000", "-c", "gc.autoPackLimit=50", "-c", "gc.autoDetach=false",
                            "gc", "--auto", "--quiet"}},
             "cannot repack " + remote.key());
  } catch (const Failure& failure) {
    // As good as before; whether to go on is not asked here.
    if (failure.status() == davit::Status::Cancelled) throw;
  }
}

void Mirrors::make(const fs::path& folder) const {
  make_folder(folder, "cannot make a mirror");
  git_.output(folder, {.arguments = {"init", "--quiet", "--bare", "--template="}}, "cannot make a mirror");
}

bool Mirrors::fetch_all(const Remote& remote, const Token& token, const std::vector<int>& pulls) const {
  learn_default_branch(remote, token);
  std::vector<std::string> arguments{"--prune", "--", remote.url, "+refs/heads/*:refs/heads/*"};
  add_pulls(arguments, pulls);
  if (fetch_refs(remote, token, std::move(arguments))) return true;
  const fs::path folder = folder_of(remote);
  remove_if_unused(remote);
  if (fs::exists(folder)) {
    throw Failure::retryable(doing(remote) + ": it has become larger than " +
                             std::to_string(settings_.limits.mirror_bytes >> 20) +
                             " MiB, and cannot be made anew while others work with it");
  }
  write_file(large_mark(folder), std::to_string(settings_.limits.mirror_bytes) + "\n", doing(remote));
  make(folder);
  return false;
}

void Mirrors::fetch_last(const Remote& remote, const Token& token, const std::vector<int>& pulls) const {
  const fs::path folder = folder_of(remote);
  learn_default_branch(remote, token);
  std::string head;
  std::getline(std::ifstream(folder / "HEAD"), head);
  const std::string main = head.substr(std::min(head.find("refs/"), head.size()));
  const std::string ours = "refs/heads/" + settings_.prefix + "*";
  std::vector<std::string> arguments{
      "--depth=1", "--prune", "--", remote.url, "+" + main + ":" + main, "+" + ours + ":" + ours};
  add_pulls(arguments, pulls);
  if (fetch_refs(remote, token, std::move(arguments))) return;
  remove_if_unused(remote);
  throw Failure::permanent(doing(remote) + ": its last commit alone is larger than " +
                           std::to_string(settings_.limits.mirror_bytes >> 20) +
                           " MiB: raise git.mirror_bytes, or leave the repository out");
}

// False if it became too large for the limit.
bool Mirrors::fetch_refs(const Remote& remote, const Token& token, std::vector<std::string> arguments) const {
  const fs::path folder = folder_of(remote);
  constexpr std::chrono::seconds kBetweenLooks{1};
  Clock::time_point next_look = Clock::now();
  const Cancel is_too_large = [&] {
    if (Clock::now() < next_look) return false;
    next_look = Clock::now() + kBetweenLooks;
    return bytes_below(folder) > settings_.limits.mirror_bytes;
  };
  arguments.insert(arguments.begin(),
                   {"fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--refmap="});
  const Finished finished = git_.talk(folder, {.arguments = std::move(arguments)}, remote, token,
                                      settings_.limits.fetch, is_too_large, doing(remote));
  if (finished.stopped == Stopped::Cancelled) return false;
  if (!finished.succeeded()) {
    if (looks_damaged(finished)) {
      distrust(folder);
      throw Failure::retryable(doing(remote) + ": " + complaint_in(finished.err) +
                               " (its mirror is damaged; the next fetch makes it anew)");
    }
    throw git_.refusal(finished, doing(remote));
  }
  // The last look may have been too early.
  return bytes_below(folder) <= settings_.limits.mirror_bytes;
}

void Mirrors::learn_default_branch(const Remote& remote, const Token& token) const {
  const fs::path folder = folder_of(remote);
  const Finished finished =
      git_.talk(folder, {.arguments = {"ls-remote", "--symref", "--", remote.url, "HEAD"}}, remote, token,
                settings_.limits.fetch, {}, doing(remote));
  if (!finished.succeeded()) throw git_.refusal(finished, doing(remote));
  if (finished.out.empty() && !git_.output(folder, {.arguments = {"for-each-ref"}}, doing(remote)).empty()) {
    // git takes a page that some proxy put in between for a repository without branches.
    throw Failure::retryable(doing(remote) + ": the server shows no branch any more");
  }
  constexpr std::string_view kRef = "ref: refs/heads/", kEnd = "\tHEAD\n";
  const std::size_t end = finished.out.find(kEnd);
  if (finished.out.compare(0, kRef.size(), kRef) != 0 || end == std::string::npos) return;
  const std::string branch = finished.out.substr(kRef.size(), end - kRef.size());
  git_.output(folder, {.arguments = {"symbolic-ref", "HEAD", "refs/heads/" + branch}}, doing(remote));
}

}  // namespace git
