// Reading a shared library as bytes, without running any of it.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <variant>
#include <vector>

#include "host/model/plugin_info.h"

namespace davit::plugin {

// What the dynamic symbol table of a library offers to others, as far as it concerns davit.
struct ElfLibrary {
  std::vector<std::string> davit_functions;  // exported functions whose names begin with "davit_"
};

// Of what is no regular file, by its mode: fifo, directory, not_regular_file.
Refusal no_regular_file(mode_t mode);

// Checks that the file is a whole shared object for this machine: every offset and size it names lies inside
// it. Nothing that the file says is trusted. Refusals: unreadable, those of no_regular_file, empty_file,
// not_elf, wrong_class, wrong_machine, not_shared_object, truncated, malformed_elf.
std::variant<ElfLibrary, Refusal> read_elf_library(const std::filesystem::path& file);

}  // namespace davit::plugin
