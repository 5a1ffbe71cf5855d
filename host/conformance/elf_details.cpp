#include "host/conformance/elf_details.h"

#include <elf.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "host/base/file.h"

namespace davit::conformance {
namespace {

constexpr std::size_t kMaxFile = 256u << 20;

class Bytes {
 public:
  explicit Bytes(std::string_view bytes) : bytes_(bytes) {}

  template <typename T>
  std::optional<T> at(std::uint64_t offset) const {
    if (offset > bytes_.size() || sizeof(T) > bytes_.size() - offset) return std::nullopt;
    T value;
    bytes_.copy(reinterpret_cast<char*>(&value), sizeof value, offset);
    return value;
  }
  std::string_view part(std::uint64_t offset, std::uint64_t size) const {
    if (offset > bytes_.size() || size > bytes_.size() - offset) return {};
    return bytes_.substr(offset, size);
  }
  // A name in a table of names; empty if it does not end there.
  static std::string text(std::string_view table, std::uint64_t offset) {
    if (offset >= table.size()) return {};
    const std::size_t end = table.find('\0', offset);
    return end == std::string_view::npos ? std::string() : std::string(table.substr(offset, end - offset));
  }

 private:
  std::string_view bytes_;
};

void read_symbols(std::string_view table, std::string_view names, ElfDetails& details) {
  const Bytes symbols(table);
  for (std::uint64_t at = 0; at + sizeof(Elf64_Sym) <= table.size(); at += sizeof(Elf64_Sym)) {
    const Elf64_Sym symbol = *symbols.at<Elf64_Sym>(at);
    const unsigned binding = ELF64_ST_BIND(symbol.st_info), visibility = ELF64_ST_VISIBILITY(symbol.st_other);
    const unsigned type = ELF64_ST_TYPE(symbol.st_info);
    if (symbol.st_shndx == SHN_UNDEF || symbol.st_shndx == SHN_ABS || binding == STB_LOCAL ||
        type == STT_SECTION || (visibility != STV_DEFAULT && visibility != STV_PROTECTED)) {
      continue;
    }
    std::string name = Bytes::text(names, symbol.st_name);
    if (name.empty()) continue;
    if (binding == STB_GNU_UNIQUE) details.unique_exports.push_back(name);
    details.exports.push_back(std::move(name));
  }
}

void read_dynamic(std::string_view table, std::string_view names, ElfDetails& details) {
  const Bytes entries(table);
  for (std::uint64_t at = 0; at + sizeof(Elf64_Dyn) <= table.size(); at += sizeof(Elf64_Dyn)) {
    const Elf64_Dyn entry = *entries.at<Elf64_Dyn>(at);
    if (entry.d_tag == DT_NULL) break;
    if (entry.d_tag == DT_TEXTREL) details.text_relocations = true;
    if (entry.d_tag == DT_FLAGS && (entry.d_un.d_val & DF_TEXTREL) != 0) details.text_relocations = true;
    if (entry.d_tag == DT_FLAGS_1 && (entry.d_un.d_val & DF_1_NODELETE) != 0) details.no_delete = true;
    if (entry.d_tag != DT_RUNPATH && entry.d_tag != DT_RPATH) continue;
    const std::string paths = Bytes::text(names, entry.d_un.d_val);
    for (std::size_t from = 0; from <= paths.size();) {
      const std::size_t end = std::min(paths.find(':', from), paths.size());
      details.run_paths.push_back(paths.substr(from, end - from));
      from = end + 1;
    }
  }
}

// .gnu.version_r: a list of libraries, each with a list of versions.
void read_version_needs(std::string_view table, std::string_view names, ElfDetails& details) {
  const Bytes needs(table);
  std::uint64_t at = 0;
  for (int libraries = 0; libraries < 1000; ++libraries) {
    const auto need = needs.at<Elf64_Verneed>(at);
    if (!need) return;
    const bool is_libc = Bytes::text(names, need->vn_file) == "libc.so.6";
    std::uint64_t version_at = at + need->vn_aux;
    for (int i = 0; is_libc && i < need->vn_cnt; ++i) {
      const auto version = needs.at<Elf64_Vernaux>(version_at);
      if (!version) break;
      const std::string name = Bytes::text(names, version->vna_name);
      if (name.starts_with("GLIBC_2")) details.libc_versions.push_back(name.substr(6));
      if (version->vna_next == 0) break;
      version_at += version->vna_next;
    }
    if (need->vn_next == 0) return;
    at += need->vn_next;
  }
}

}  // namespace

Result<ElfDetails> read_elf_details(const std::filesystem::path& file) {
  const std::string bytes = TRY(read_file(file, kMaxFile));
  const Bytes all(bytes);
  const auto header = all.at<Elf64_Ehdr>(0);
  if (!header) return Error{ErrorCode::InvalidInput, "the file ends within its ELF header"};
  ElfDetails details;
  details.executable_stack = true;  // what the kernel takes a missing header for
  for (std::uint64_t i = 0; i < header->e_phnum; ++i) {
    const auto segment = all.at<Elf64_Phdr>(header->e_phoff + i * sizeof(Elf64_Phdr));
    if (segment && segment->p_type == PT_GNU_STACK) details.executable_stack = (segment->p_flags & PF_X) != 0;
  }
  for (std::uint64_t i = 0; i < header->e_shnum; ++i) {
    const auto section = all.at<Elf64_Shdr>(header->e_shoff + i * sizeof(Elf64_Shdr));
    if (!section) return Error{ErrorCode::InvalidInput, "the file ends within its section table"};
    if (section->sh_type != SHT_DYNSYM && section->sh_type != SHT_DYNAMIC &&
        section->sh_type != SHT_GNU_verneed)
      continue;
    const auto linked =
        all.at<Elf64_Shdr>(header->e_shoff + std::uint64_t{section->sh_link} * sizeof(Elf64_Shdr));
    const std::string_view table = all.part(section->sh_offset, section->sh_size);
    const std::string_view names = linked ? all.part(linked->sh_offset, linked->sh_size) : std::string_view();
    if (section->sh_type == SHT_DYNSYM) read_symbols(table, names, details);
    if (section->sh_type == SHT_DYNAMIC) read_dynamic(table, names, details);
    if (section->sh_type == SHT_GNU_verneed) read_version_needs(table, names, details);
  }
  return details;
}

bool older_version(std::string_view a, std::string_view b) {
  while (!a.empty() || !b.empty()) {
    auto next = [](std::string_view& rest) {
      int number = 0;
      const std::string_view step = rest.substr(0, rest.find('.'));
      std::from_chars(step.data(), step.data() + step.size(), number);
      rest.remove_prefix(std::min(rest.size(), step.size() + 1));
      return number;
    };
    const int left = next(a), right = next(b);
    if (left != right) return left < right;
  }
  return false;
}

}  // namespace davit::conformance
