// Tells that something in a folder, or in the folders in it, may have changed: by inotify, without polling.
//
// The folder may be missing, be removed, replaced and made again: as long as some folder above it exists, its
// coming is noticed. Confined to one thread at a time.
#pragma once

#include <sys/inotify.h>

#include <filesystem>
#include <map>
#include <vector>

#include "host/base/file.h"
#include "host/base/result.h"

namespace davit::live {

class FolderWatch {
 public:
  // Unavailable if the system gives no inotify descriptor. What exists at that moment has to be looked at by
  // the caller.
  static Result<FolderWatch> open(const std::filesystem::path& folder);

  // Readable while take() has something to tell.
  int fd() const { return inotify_.number(); }

  struct News {
    bool changed = false;  // look at the folder
    // Files whose writer closed them or that were renamed into place, by canonical path.
    std::vector<std::filesystem::path> finished;
  };
  // All news since the last time. Never waits.
  News take();

 private:
  FolderWatch(std::filesystem::path folder, UniqueFd inotify);
  void arm();
  bool take_event(const ::inotify_event& event, News& news);

  std::filesystem::path folder_;  // absolute, as it was named
  UniqueFd inotify_;
  struct Watched {
    std::filesystem::path path;
    std::filesystem::path waits_for;  // of a folder above: the one name in it that counts
  };
  std::map<int, Watched> watched_;  // by watch descriptor
};

}  // namespace davit::live
