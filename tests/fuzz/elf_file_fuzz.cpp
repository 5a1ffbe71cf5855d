// Library files before they are loaded: every file is a library whose functions are named, or refused with a
// reason.
#include "host/plugin/elf_file.h"

#include "tests/fuzz/bytes_as_file.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using davit::fuzz::promise;
  const std::string_view bytes = davit::fuzz::as_text(data, size);
  const auto outcome = davit::plugin::read_elf_library(davit::fuzz::BytesAsFile(bytes).path());
  if (const auto* refusal = std::get_if<davit::Refusal>(&outcome)) {
    promise(!refusal->code.empty() && davit::fuzz::is_one_line(refusal->reason),
            "a refusal has a code and a reason");
    return 0;
  }
  for (const std::string& name : std::get<davit::plugin::ElfLibrary>(outcome).davit_functions) {
    promise(name.starts_with("davit_") && name.size() <= 128, "only our functions are named");
    promise(bytes.find(name) != std::string_view::npos, "a name stands in the file");
  }
  return 0;
}
