// What a shared library's bytes say beyond its factories: exports, flags, search paths, needed versions.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "host/base/result.h"

namespace davit::conformance {

struct ElfDetails {
  std::vector<std::string> exports;         // defined, visible to others
  std::vector<std::string> unique_exports;  // bound as STB_GNU_UNIQUE
  std::vector<std::string> run_paths;       // entries of DT_RUNPATH and DT_RPATH
  std::vector<std::string> libc_versions;   // "2.34": wanted of libc.so.6
  bool no_delete = false;
  bool text_relocations = false;
  bool executable_stack = false;
};

// Reads a file that plugin::read_elf_library has accepted. Every access is checked all the same: InvalidInput
// for what does not fit.
Result<ElfDetails> read_elf_details(const std::filesystem::path& file);

// Compares "2.9" and "2.34" number by number.
bool older_version(std::string_view a, std::string_view b);

}  // namespace davit::conformance
