// What a linked file says about how hard it is to take over: read from its ELF headers, without running it.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace davit::hardening {

enum class FileKind { Program, Library };

struct Protections {
  FileKind kind = FileKind::Library;
  bool position_independent = false;      // of a program: PIE
  bool relro = false, bind_now = false;   // both together: full RELRO
  bool stack_not_executable = false;      // PT_GNU_STACK is there, without the right to execute
  bool writable_code = false;             // a segment both writable and executable
  bool text_relocations = false;          // code is written to while it is loaded
  bool stack_protector = false;           // __stack_chk_fail is called
  std::vector<std::string> fortified;     // the checked functions in use: __memcpy_chk …
  std::vector<std::string> search_paths;  // RPATH and RUNPATH
};

// Throws std::runtime_error for what is no ELF file of this kind of machine.
Protections read_protections(const std::filesystem::path& file);

// What depends on how the file was compiled.
struct Compiled {
  bool stack_protector = true;
  bool fortify = true;
};

// One sentence for each protection that is missing; empty for a file as it should be.
std::vector<std::string> weaknesses(const Protections& found, Compiled expected);

}  // namespace davit::hardening
