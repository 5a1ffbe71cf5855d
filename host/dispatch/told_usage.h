// What executions had told of their usage when an earlier host was killed.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "host/store/store.h"

namespace davit::dispatch {

// Where the execution of a session keeps it: beside the workspaces.
std::filesystem::path usage_file(const std::filesystem::path& work_directory, const std::string& session_id);

// All that is there, for Options::told; before a Dispatcher is started, which empties the folder.
std::vector<store::ToldUsage> told_usage(const std::filesystem::path& work_directory);

}  // namespace davit::dispatch
