// Why by hand: dlopen of a half-copied file dies with SIGBUS, and of one cut near its end succeeds;
// Boost.DLL's library_info (1.74) trusts every offset in the file, reads past its string table even for good
// files, and knows only the static symbol table, which strip removes. So the exported names come from the
// dynamic symbol table, read here with every access bounds-checked.
#include "host/plugin/elf_file.h"

#include <elf.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bit>
#include <cerrno>
#include <optional>

#include "host/base/file.h"
#include "host/plugin/refusal_codes.h"

namespace davit::plugin {
namespace {

constexpr std::uint64_t kMaxTableBytes = 64u << 20;  // symbols, strings; far beyond any honest plugin
constexpr std::uint64_t kMaxDynamicBytes = 1u << 20;

#if defined(__x86_64__)
constexpr std::uint16_t kOurMachine = EM_X86_64;
#elif defined(__aarch64__)
constexpr std::uint16_t kOurMachine = EM_AARCH64;
#elif defined(__riscv)
constexpr std::uint16_t kOurMachine = EM_RISCV;
#elif defined(__powerpc64__)
constexpr std::uint16_t kOurMachine = EM_PPC64;
#elif defined(__s390x__)
constexpr std::uint16_t kOurMachine = EM_S390;
#else
#error "name the ELF machine number of this platform here"
#endif

std::string machine_name(std::uint16_t machine) {
  switch (machine) {
    case EM_386:
      return "32-bit x86";
    case EM_X86_64:
      return "x86-64";
    case EM_ARM:
      return "32-bit ARM";
    case EM_AARCH64:
      return "ARM64 (aarch64)";
    case EM_RISCV:
      return "RISC-V";
    case EM_PPC64:
      return "64-bit PowerPC";
    case EM_S390:
      return "IBM Z (s390x)";
    default:
      return "ELF machine number " + std::to_string(machine);
  }
}

class ByteReader {
 public:
  ByteReader(int fd, std::uint64_t size) : fd_(fd), size_(size) {}
  std::uint64_t size() const { return size_; }

  bool holds(std::uint64_t offset, std::uint64_t count) const {
    return offset <= size_ && count <= size_ - offset;
  }

  bool read(std::uint64_t offset, void* into, std::uint64_t count) const {
    if (!holds(offset, count)) return false;
    auto* bytes = static_cast<char*>(into);
    while (count > 0) {
      ssize_t got = ::pread(fd_, bytes, count, static_cast<off_t>(offset));
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) return false;
      bytes += got, offset += static_cast<std::uint64_t>(got), count -= static_cast<std::uint64_t>(got);
    }
    return true;
  }

  template <typename T>
  std::optional<T> at(std::uint64_t offset) const {
    T value;
    if (!read(offset, &value, sizeof value)) return std::nullopt;
    return value;
  }

  std::optional<std::string> bytes(std::uint64_t offset, std::uint64_t count, std::uint64_t max) const {
    if (count > max || !holds(offset, count)) return std::nullopt;
    std::string text(count, '\0');
    if (!read(offset, text.data(), count)) return std::nullopt;
    return text;
  }

 private:
  int fd_;
  std::uint64_t size_;
};

std::optional<Refusal> check_header(const ByteReader& file, const Elf64_Ehdr& header) {
  if (header.e_ident[EI_CLASS] != ELFCLASS64) {
    return refuse(refusal::kWrongClass, header.e_ident[EI_CLASS] == ELFCLASS32 ? "It is a 32-bit library"
                                                                               : "Its ELF class is unknown");
  }
  constexpr unsigned char kOurData = std::endian::native == std::endian::little ? ELFDATA2LSB : ELFDATA2MSB;
  if (header.e_ident[EI_DATA] != kOurData) return refuse(refusal::kWrongMachine, "It has another byte order");
  if (header.e_machine != kOurMachine) {
    return refuse(refusal::kWrongMachine, "It is built for " + machine_name(header.e_machine) +
                                              ", davit runs on " + machine_name(kOurMachine));
  }
  if (header.e_type != ET_DYN) {
    const char* what = header.e_type == ET_EXEC   ? "It is a program"
                       : header.e_type == ET_REL  ? "It is an object file"
                       : header.e_type == ET_CORE ? "It is a core dump"
                                                  : "Its ELF type is unknown";
    return refuse(refusal::kNotSharedObject, what);
  }
  if (header.e_ident[EI_VERSION] != EV_CURRENT || header.e_phentsize != sizeof(Elf64_Phdr) ||
      header.e_phnum == 0) {
    return refuse(refusal::kMalformedElf, "Its ELF header is not that of a loadable library");
  }
  if (!file.holds(header.e_phoff, std::uint64_t{header.e_phnum} * sizeof(Elf64_Phdr))) {
    return refuse(refusal::kTruncated, "It ends before its program headers");
  }
  // The linker puts the section table last: a file that lost its tail lost this, and would still load.
  if (header.e_shoff == 0 || header.e_shnum == 0)
    return refuse(refusal::kMalformedElf, "It has no section table");
  if (header.e_shentsize != sizeof(Elf64_Shdr))
    return refuse(refusal::kMalformedElf, "Its section table is malformed");
  if (!file.holds(header.e_shoff, std::uint64_t{header.e_shnum} * sizeof(Elf64_Shdr))) {
    return refuse(refusal::kTruncated, "It ends before its section table does");
  }
  return std::nullopt;
}

std::optional<Refusal> check_segments(const ByteReader& file, const Elf64_Ehdr& header) {
  bool loads = false, is_program = false;
  for (std::uint64_t i = 0; i < header.e_phnum; ++i) {
    auto segment = file.at<Elf64_Phdr>(header.e_phoff + i * sizeof(Elf64_Phdr));
    if (!segment) return refuse(refusal::kTruncated, "It ends within its program headers");
    if (segment->p_type == PT_LOAD) {
      loads = true;
      if (!file.holds(segment->p_offset, segment->p_filesz)) {
        return refuse(refusal::kTruncated, "It ends before the code and data its headers promise");
      }
      if (segment->p_memsz < segment->p_filesz)
        return refuse(refusal::kMalformedElf, "A segment has impossible sizes");
    }
    if (segment->p_type == PT_DYNAMIC) {
      auto dynamic = file.bytes(segment->p_offset, segment->p_filesz, kMaxDynamicBytes);
      if (!dynamic) return refuse(refusal::kTruncated, "It ends before its dynamic section does");
      for (std::size_t at = 0; at + sizeof(Elf64_Dyn) <= dynamic->size(); at += sizeof(Elf64_Dyn)) {
        Elf64_Dyn entry;
        dynamic->copy(reinterpret_cast<char*>(&entry), sizeof entry, at);
        if (entry.d_tag == DT_NULL) break;
        if (entry.d_tag == DT_FLAGS_1 && (entry.d_un.d_val & DF_1_PIE) != 0) is_program = true;
      }
    }
  }
  if (!loads) return refuse(refusal::kMalformedElf, "It has nothing to load");
  if (is_program) return refuse(refusal::kNotSharedObject, "It is a (position-independent) program");
  return std::nullopt;
}

std::variant<ElfLibrary, Refusal> exported_functions(const ByteReader& file, const Elf64_Ehdr& header) {
  ElfLibrary library;
  for (std::uint64_t i = 0; i < header.e_shnum; ++i) {
    auto section = file.at<Elf64_Shdr>(header.e_shoff + i * sizeof(Elf64_Shdr));
    if (!section) return refuse(refusal::kTruncated, "It ends within its section table");
    if (section->sh_type != SHT_DYNSYM) continue;
    if (section->sh_entsize != sizeof(Elf64_Sym) || section->sh_link >= header.e_shnum) {
      return refuse(refusal::kMalformedElf, "Its dynamic symbol table is malformed");
    }
    auto strings_section = file.at<Elf64_Shdr>(header.e_shoff + section->sh_link * sizeof(Elf64_Shdr));
    if (!strings_section) return refuse(refusal::kTruncated, "It ends within its section table");
    auto symbols = file.bytes(section->sh_offset, section->sh_size, kMaxTableBytes);
    auto strings = file.bytes(strings_section->sh_offset, strings_section->sh_size, kMaxTableBytes);
    if (!symbols || !strings) return refuse(refusal::kTruncated, "It ends before its symbol tables do");
    for (std::size_t at = 0; at + sizeof(Elf64_Sym) <= symbols->size(); at += sizeof(Elf64_Sym)) {
      Elf64_Sym symbol;
      symbols->copy(reinterpret_cast<char*>(&symbol), sizeof symbol, at);
      unsigned binding = ELF64_ST_BIND(symbol.st_info), visibility = ELF64_ST_VISIBILITY(symbol.st_other);
      if (symbol.st_shndx == SHN_UNDEF || ELF64_ST_TYPE(symbol.st_info) != STT_FUNC || binding == STB_LOCAL ||
          (visibility != STV_DEFAULT && visibility != STV_PROTECTED) || symbol.st_name >= strings->size()) {
        continue;
      }
      std::string_view name = std::string_view(*strings).substr(symbol.st_name);
      std::size_t end = name.find('\0');
      if (end == std::string_view::npos) return refuse(refusal::kMalformedElf, "A symbol name does not end");
      name = name.substr(0, end);
      if (name.starts_with("davit_") && name.size() <= 128 && library.davit_functions.size() < 64) {
        library.davit_functions.emplace_back(name);
      }
    }
  }
  return library;
}

}  // namespace

Refusal no_regular_file(mode_t mode) {
  if (S_ISFIFO(mode)) return refuse(refusal::kFifo, "It is a named pipe");
  if (S_ISDIR(mode)) return refuse(refusal::kDirectory, "It is a folder");
  const char* what = S_ISSOCK(mode)                   ? "It is a socket"
                     : S_ISCHR(mode) || S_ISBLK(mode) ? "It is a device"
                                                      : "It is not a regular file";
  return refuse(refusal::kNotRegularFile, what);
}

std::variant<ElfLibrary, Refusal> read_elf_library(const std::filesystem::path& path) {
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd.open()) return refuse(refusal::kUnreadable, "It cannot be opened: " + errno_text(errno));
  struct stat info {};
  if (::fstat(fd.number(), &info) != 0)
    return refuse(refusal::kUnreadable, "It cannot be looked at: " + errno_text(errno));
  if (!S_ISREG(info.st_mode)) return no_regular_file(info.st_mode);
  ByteReader file(fd.number(), static_cast<std::uint64_t>(info.st_size));
  if (file.size() == 0) return refuse(refusal::kEmptyFile, "It is empty");
  auto magic = file.bytes(0, SELFMAG, SELFMAG);
  if (!magic || *magic != ELFMAG) return refuse(refusal::kNotElf, "It is not an ELF file");
  auto identity = file.bytes(0, EI_NIDENT, EI_NIDENT);
  if (!identity) return refuse(refusal::kTruncated, "It ends within its ELF header");
  auto header = file.at<Elf64_Ehdr>(0);
  if (!header) {
    // A 32-bit header is shorter: say what matters.
    if ((*identity)[EI_CLASS] == ELFCLASS32) return refuse(refusal::kWrongClass, "It is a 32-bit library");
    return refuse(refusal::kTruncated, "It ends within its ELF header");
  }
  if (auto refusal = check_header(file, *header)) return *refusal;
  if (auto refusal = check_segments(file, *header)) return *refusal;
  return exported_functions(file, *header);
}

}  // namespace davit::plugin
