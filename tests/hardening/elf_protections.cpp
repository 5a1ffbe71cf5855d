#include "tests/hardening/elf_protections.h"

#include <elf.h>

#include <cstring>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace davit::hardening {
namespace {

class Elf {
 public:
  explicit Elf(const std::filesystem::path& file) : name_(file.string()) {
    std::ifstream stream(file, std::ios::binary);
    bytes_.assign(std::istreambuf_iterator<char>(stream), {});
    if (bytes_.compare(0, SELFMAG, ELFMAG) != 0 || bytes_[EI_CLASS] != ELFCLASS64)
      fail("is no 64-bit ELF file");
    header_ = at<Elf64_Ehdr>(0);
  }

  const Elf64_Ehdr& header() const { return header_; }
  std::vector<Elf64_Phdr> segments() const { return table<Elf64_Phdr>(header_.e_phoff, header_.e_phnum); }
  std::vector<Elf64_Shdr> sections() const { return table<Elf64_Shdr>(header_.e_shoff, header_.e_shnum); }
  template <typename Entry>
  std::vector<Entry> entries(const Elf64_Shdr& section) const {
    return table<Entry>(section.sh_offset, section.sh_size / sizeof(Entry));
  }
  std::string text(const Elf64_Shdr& strings, std::uint64_t offset) const {
    if (offset >= strings.sh_size || strings.sh_offset + strings.sh_size > bytes_.size()) fail("is cut");
    return bytes_.c_str() + strings.sh_offset + offset;
  }

 private:
  [[noreturn]] void fail(const char* what) const { throw std::runtime_error(name_ + " " + what); }
  template <typename Entry>
  Entry at(std::uint64_t offset) const {
    if (offset + sizeof(Entry) > bytes_.size()) fail("is cut");
    Entry entry;
    std::memcpy(&entry, bytes_.data() + offset, sizeof entry);
    return entry;
  }
  template <typename Entry>
  std::vector<Entry> table(std::uint64_t offset, std::uint64_t count) const {
    std::vector<Entry> all;
    for (std::uint64_t i = 0; i < count; ++i) all.push_back(at<Entry>(offset + i * sizeof(Entry)));
    return all;
  }

  std::string name_, bytes_;
  Elf64_Ehdr header_{};
};

void read_dynamic(const Elf& elf, const Elf64_Shdr& section, const Elf64_Shdr& strings, Protections& found) {
  bool says_pie = false;
  for (const Elf64_Dyn& entry : elf.entries<Elf64_Dyn>(section)) {
    const std::uint64_t value = entry.d_un.d_val;
    switch (entry.d_tag) {
      case DT_BIND_NOW:
        found.bind_now = true;
        break;
      case DT_FLAGS:
        found.bind_now = found.bind_now || (value & DF_BIND_NOW) != 0;
        found.text_relocations = found.text_relocations || (value & DF_TEXTREL) != 0;
        break;
      case DT_FLAGS_1:
        found.bind_now = found.bind_now || (value & DF_1_NOW) != 0;
        says_pie = (value & DF_1_PIE) != 0;
        break;
      case DT_TEXTREL:
        found.text_relocations = true;
        break;
      case DT_RPATH:
      case DT_RUNPATH:
        found.search_paths.push_back(elf.text(strings, value));
        break;
      default:
        break;
    }
  }
  found.position_independent = elf.header().e_type == ET_DYN && (says_pie || found.kind == FileKind::Library);
}

void read_symbols(const Elf& elf, const Elf64_Shdr& section, const Elf64_Shdr& strings, Protections& found) {
  for (const Elf64_Sym& symbol : elf.entries<Elf64_Sym>(section)) {
    const std::string name = elf.text(strings, symbol.st_name);
    if (symbol.st_shndx != SHN_UNDEF) continue;
    if (name == "__stack_chk_fail") found.stack_protector = true;
    if (name.starts_with("__") && name.ends_with("_chk")) found.fortified.push_back(name);
  }
}

}  // namespace

Protections read_protections(const std::filesystem::path& file) {
  const Elf elf(file);
  Protections found;
  for (const Elf64_Phdr& segment : elf.segments()) {
    if (segment.p_type == PT_INTERP) found.kind = FileKind::Program;
    if (segment.p_type == PT_GNU_RELRO) found.relro = true;
    if (segment.p_type == PT_GNU_STACK) found.stack_not_executable = (segment.p_flags & PF_X) == 0;
    if (segment.p_type == PT_LOAD && (segment.p_flags & (PF_W | PF_X)) == (PF_W | PF_X))
      found.writable_code = true;
  }
  const std::vector<Elf64_Shdr> sections = elf.sections();
  for (const Elf64_Shdr& section : sections) {
    if (section.sh_type == SHT_DYNAMIC) read_dynamic(elf, section, sections.at(section.sh_link), found);
    if (section.sh_type == SHT_DYNSYM) read_symbols(elf, section, sections.at(section.sh_link), found);
  }
  return found;
}

std::vector<std::string> weaknesses(const Protections& found, Compiled expected) {
  std::vector<std::string> missing;
  auto need = [&](bool there, std::string sentence) {
    if (!there) missing.push_back(std::move(sentence));
  };
  need(found.position_independent, "it is not position-independent (-pie)");
  need(found.relro, "it has no RELRO segment (-z relro)");
  need(found.bind_now, "its functions are looked up late, so the table of them stays writable (-z now)");
  need(found.stack_not_executable, "its stack is executable (-z noexecstack)");
  need(!found.writable_code, "it has code that is writable");
  need(!found.text_relocations, "its code is changed while it is loaded (-fPIC)");
  for (const std::string& path : found.search_paths) missing.push_back("it looks for libraries in " + path);
  need(found.stack_protector || !expected.stack_protector,
       "it has no stack protector (-fstack-protector-strong)");
  need(!found.fortified.empty() || !expected.fortify, "it calls no fortified function (-D_FORTIFY_SOURCE)");
  return missing;
}

}  // namespace davit::hardening
