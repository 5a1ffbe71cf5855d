// What the bytes tell, before any code of the library runs.
#include <gnu/libc-version.h>

#include <algorithm>

#include "host/conformance/check.h"
#include "host/conformance/elf_details.h"
#include "host/plugin/elf_file.h"
#include "host/plugin/plugin_module.h"

namespace davit::conformance {
namespace {

const Rule& rule_of(std::string_view refusal_code) {
  if (refusal_code == "unreadable" || refusal_code == "not_regular_file" || refusal_code == "fifo" ||
      refusal_code == "directory")
    return rule("file-plain");
  if (refusal_code == "wrong_class" || refusal_code == "wrong_machine") return rule("file-machine");
  if (refusal_code == "truncated") return rule("file-whole");
  if (refusal_code == "no_factory" || refusal_code == "abi_major_too_old" ||
      refusal_code == "abi_major_too_new")
    return rule("factory-symbol");
  return rule("file-elf");
}

std::string listed(const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t i = 0; i < names.size() && i < 5; ++i) text += (i ? ", " : "") + names[i];
  if (names.size() > 5) text += " and " + std::to_string(names.size() - 5) + " more";
  return text;
}

// The sentence of a refusal without its remedy: the rule has one of its own.
std::string seen(const Refusal& refusal) {
  const std::size_t end = refusal.reason.find(". ");
  return refusal.reason.substr(0, end);
}

bool is_odd_path(const std::string& path) {
  for (std::string_view usual : {"/usr/", "/lib/", "/lib64/"}) {
    if (path.starts_with(usual) && path.find("..") == std::string::npos) return false;
  }
  return true;
}

}  // namespace

void check_file(Subject& subject) {
  const std::filesystem::path& file = subject.job.file;
  Reporter& report = subject.report;
  if (auto refusal = plugin::inspect_library(file))
    return report.found(rule_of(refusal->code), seen(*refusal));
  const Result<ElfDetails> read = read_elf_details(file);
  if (!read) return report.found(rule("file-elf"), read.error().message);
  const ElfDetails& details = *read;

  std::vector<std::string> others = details.exports;
  std::erase_if(others, [](const std::string& name) {
    return name == DAVIT_WEBHOOK_FACTORY_SYMBOL || name == DAVIT_AGENT_FACTORY_SYMBOL;
  });
  if (!others.empty()) report.found(rule("exports"), "It also exports " + listed(others));
  if (!details.unique_exports.empty())
    report.found(rule("unique-symbols"), "It shares " + listed(details.unique_exports));
  if (details.no_delete)
    report.found(rule("no-delete"), "It is marked as never to be unloaded (DF_1_NODELETE)");
  if (details.text_relocations)
    report.found(rule("text-relocations"), "It has relocations in its code (DT_TEXTREL)");
  if (details.executable_stack)
    report.found(rule("executable-stack"), "Loading it makes the stacks of the host executable");
  std::vector<std::string> odd = details.run_paths;
  std::erase_if(odd, [](const std::string& path) { return !is_odd_path(path); });
  if (!odd.empty()) report.found(rule("run-path"), "It looks for libraries in '" + listed(odd) + "'");
  const std::string_view ours = gnu_get_libc_version();
  const auto newest =
      std::max_element(details.libc_versions.begin(), details.libc_versions.end(), older_version);
  if (newest != details.libc_versions.end() && older_version(ours, *newest)) {
    report.found(rule("libc-version"),
                 "It needs the C library of glibc " + *newest + "; here is " + std::string(ours));
  }
}

}  // namespace davit::conformance
