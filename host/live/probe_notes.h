// Which libraries are being looked at, on disk, so that what was under way when a host ended is known to the
// next one.
#pragma once

#include <filesystem>
#include <set>
#include <string>

namespace davit::live {

// A file <sha256>.probing in the store of copies for as long as this lives. Where none can be made, nothing
// is noted: a probe is worth more than its note. Two of the same hash are not made at a time.
class ProbeNote {
 public:
  explicit ProbeNote(const std::filesystem::path& stored_file);
  ~ProbeNote();
  ProbeNote(const ProbeNote&) = delete;
  ProbeNote& operator=(const ProbeNote&) = delete;

  // Hashes of the notes that a former host left in the store, which are removed. Before the first probe.
  static std::set<std::string> take_left_behind(const std::filesystem::path& store_folder);

 private:
  const std::filesystem::path file_;
};

}  // namespace davit::live
