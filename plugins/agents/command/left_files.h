// Files that the program left for people, in the folder that it was told of.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <string>

namespace command {

struct LeftFile {
  std::string name;          // without folder
  std::string content_type;  // by its ending
  std::string content;
};

// Hands over each regular file that lies in `folder` itself, by name; no link is followed. What cannot be
// read, is larger than `most` bytes or comes after the first 64, is named to `left_out` with the reason.
void each_left_file(const std::filesystem::path& folder, std::size_t most,
                    const std::function<void(LeftFile)>& take,
                    const std::function<void(const std::string& name, const std::string& why)>& left_out);

}  // namespace command
