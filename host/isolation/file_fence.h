// Keeps a process that runs foreign code from the files of davit, and from changing any.
#pragma once

#include <filesystem>
#include <vector>

namespace davit::isolation {

// From now on this thread, what it starts, and nothing else of this process, can make, change and remove no
// file, open no device but those of zeros, random bytes and nothing, see of /proc neither other processes nor
// the memory of the machine, and read nothing that lies in one of the `hidden` folders but the file
// `visible`. What is open already stays so. False, and nothing has changed, where the kernel does not know
// Landlock (before 5.13) or does not let us use it.
//
// There are no rules that forbid, only such that allow (landlock(7)): everything beside the hidden folders is
// allowed entry by entry, so that what appears there later cannot be read either. Folders on the way to a
// hidden one cannot be listed. Before kernel 6.2 a file that can be named can be cut, by truncate(2). A
// hidden folder that is mounted a second time elsewhere can be read there.
bool fence_off_files(const std::vector<std::filesystem::path>& hidden, const std::filesystem::path& visible);

}  // namespace davit::isolation
