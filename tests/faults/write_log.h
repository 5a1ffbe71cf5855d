// What a program asked of the disk, read from a log of strace.
#pragma once

#include <cctype>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace davit::faults {

struct DiskEvent {
  enum class Kind { Create, Write, Truncate, Sync, SyncFailed, SyncFolder, Unlink, Rename, Said };
  Kind kind = Kind::Said;
  std::string name;        // of the file in the folder
  std::string to;          // Rename
  std::size_t offset = 0;  // Write; Truncate: the new size
  std::string bytes;       // Write; Said: the line
  std::size_t covers = 0;  // Sync…: as many events came before it was asked for
};

// The words before the program that make strace write such a log.
inline std::vector<std::string> recording_to(const std::filesystem::path& log) {
  return {"strace",
          "-f",
          "-qq",
          "-y",
          "-xx",
          "-s",
          "2000000",
          "-e",
          "signal=none",
          "-e",
          "trace=openat,write,pwrite64,ftruncate,fdatasync,fsync,unlink,unlinkat,rename,renameat,renameat2",
          "-o",
          log.string()};
}

// Reads a log of a program whose files lie in `folder`. SQLite's shared memory is no file that outlives a
// power cut and is left out. A write counts from when it was asked for, a sync from when it was answered.
class WriteLog {
 public:
  WriteLog(const std::filesystem::path& log, const std::filesystem::path& folder)
      : folder_(folder.string() + "/") {
    std::ifstream file(log);
    for (std::string line; std::getline(file, line);) read(line);
  }
  const std::vector<DiskEvent>& events() const { return events_; }

 private:
  void read(const std::string& line) {
    const std::size_t call = line.find_first_not_of("0123456789 ");
    if (call == std::string::npos) return;
    const std::string thread = line.substr(0, line.find(' '));
    if (line.compare(call, 5, "<... ") == 0) {  // the answer to a call whose beginning came before
      const auto begun = unfinished_.find(thread);
      if (begun == unfinished_.end()) return;
      add(line, std::move(begun->second));
      unfinished_.erase(begun);
      return;
    }
    DiskEvent event;
    if (!parse(std::string_view(line).substr(call), event)) return;
    const bool waits = line.size() > 16 && line.rfind("<unfinished ...>") == line.size() - 16;
    const bool sync = event.kind == DiskEvent::Kind::Sync || event.kind == DiskEvent::Kind::SyncFolder;
    event.covers = events_.size();
    if (waits && sync) {
      unfinished_[thread] = std::move(event);
    } else if (waits) {
      events_.push_back(std::move(event));
    } else {
      add(line, std::move(event));
    }
  }
  // Calls that failed did nothing, but a sync that failed is remembered.
  void add(const std::string& line, DiskEvent event) {
    const bool failed = !succeeded(line);
    if (failed && event.kind != DiskEvent::Kind::Sync) return;
    if (failed) event.kind = DiskEvent::Kind::SyncFailed;
    events_.push_back(std::move(event));
  }

  bool parse(std::string_view call, DiskEvent& event) const {
    using Kind = DiskEvent::Kind;
    const std::string_view name = call.substr(0, call.find('('));
    std::string_view arguments = call.substr(std::min(call.size(), name.size() + 1));
    if (name == "openat") {
      if (arguments.find("O_CREAT") == std::string_view::npos) return false;
      event.kind = Kind::Create;
      return in_folder(quoted(arguments, 0), event.name);
    }
    if (name == "unlink" || name == "unlinkat") {
      event.kind = Kind::Unlink;
      return in_folder(quoted(arguments, 0), event.name);
    }
    if (name == "rename" || name == "renameat" || name == "renameat2") {
      event.kind = Kind::Rename;
      return in_folder(quoted(arguments, 0), event.name) && in_folder(quoted(arguments, 1), event.to);
    }
    if (name == "write" && arguments.rfind("1<", 0) == 0) {
      event.bytes = quoted(arguments, 0);
      return true;
    }
    const std::string path = path_of_descriptor(arguments);
    if (name == "fsync" || name == "fdatasync") {
      event.kind = Kind::Sync;
      if (in_folder(path, event.name)) return true;
      event.kind = Kind::SyncFolder;
      return path + "/" == folder_;
    }
    if (!in_folder(path, event.name)) return false;
    if (name == "ftruncate") {
      event.kind = Kind::Truncate;
      event.offset = number_behind(arguments.substr(0, arguments.rfind(')')));
      return true;
    }
    event.kind = Kind::Write;
    event.bytes = quoted(arguments, 0);
    // The offset is the last argument of pwrite64; write() is used for whole small files only.
    std::string_view behind = arguments.substr(arguments.rfind('"'));
    behind = behind.substr(0, behind.find_first_of(")<"));
    event.offset = name == "pwrite64" ? number_behind(behind) : 0;
    return name == "pwrite64" || name == "write";
  }

  bool in_folder(const std::string& path, std::string& name) const {
    if (path.rfind(folder_, 0) != 0) return false;
    name = path.substr(folder_.size());
    return name.find('/') == std::string::npos && name.find("-shm") == std::string::npos;
  }
  static bool succeeded(const std::string& line) {
    const std::size_t equals = line.rfind(" = ");
    return equals != std::string::npos && line[equals + 3] != '-';
  }
  static std::size_t number_behind(std::string_view arguments) {
    const std::size_t comma = arguments.rfind(',');
    return comma == std::string_view::npos
               ? 0
               : std::strtoull(std::string(arguments.substr(comma + 1)).c_str(), nullptr, 10);
  }
  static std::string path_of_descriptor(std::string_view arguments) {
    const std::size_t from = arguments.find('<');
    return from == std::string_view::npos ? "" : bytes_at(arguments, from + 1);
  }
  // The n-th string among the arguments.
  static std::string quoted(std::string_view arguments, int index) {
    std::size_t from = arguments.find('"');
    for (; index > 0 && from != std::string_view::npos; --index)
      from = arguments.find('"', arguments.find('"', from + 1) + 1);
    return from == std::string_view::npos ? "" : bytes_at(arguments, from + 1);
  }
  // As strace writes strings and paths: each byte as \xNN.
  static std::string bytes_at(std::string_view arguments, std::size_t at) {
    std::string bytes;
    for (; at + 3 < arguments.size() && arguments[at] == '\\'; at += 4)
      bytes += static_cast<char>(digit(arguments[at + 2]) * 16 + digit(arguments[at + 3]));
    return bytes;
  }
  static int digit(char c) { return c <= '9' ? c - '0' : c - 'a' + 10; }

  const std::string folder_;
  std::vector<DiskEvent> events_;
  std::map<std::string, DiskEvent> unfinished_;  // by thread
};

}  // namespace davit::faults
