// What is looked at before a database is used, so that a wrong one is refused with a sentence and nothing is
// made, changed or lost.
#pragma once

#include <filesystem>
#include <optional>
#include <string_view>

#include "host/base/clock.h"
#include "host/base/log.h"
#include "host/store/database.h"
#include "host/store/store.h"

namespace davit::store {

OpenError refuse(OpenFailure failure, const std::filesystem::path& path, std::string_view sentence);
OpenError refuse(const std::filesystem::path& path, const Failure& failure);

// What can be told without opening the file. Nothing: it may be opened. `known`: a database was in use here.
std::optional<OpenError> check_file(const std::filesystem::path& path, bool known);

// Makes a new, empty file that only its owner reads.
std::optional<OpenError> create_file(const std::filesystem::path& path);

// Says so if others on this machine may read or write the file. Not refused: a group that makes backups may
// be meant.
void warn_of_open_mode(const std::filesystem::path& path, Log& log);

// Ours, and of a version that we know?
std::optional<OpenError> check_identity(Database& database, const std::filesystem::path& path);

// After an unclean stop, looks for damage, the small and hot tables first, until it has looked for `limit`.
std::optional<OpenError> check_pages(Database& database, const std::filesystem::path& path, Duration limit,
                                     Log& log);

// Is every table and index of the newest schema there? Others, of an operator's own, are let be.
std::optional<OpenError> check_schema(Database& database, const std::filesystem::path& path);

}  // namespace davit::store
