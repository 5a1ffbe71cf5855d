// The files that are shipped, as they were linked: the program and the plugins of this build.
//
// In every preset: position-independent, full RELRO, no executable stack, no writable code, no text
// relocations, no search paths. Stack protector and fortify are in all but the sanitizers' presets, whose own
// checks take their place. A plugin is built with the same flags, but need not call anything that can be
// fortified.
#include <gmock/gmock.h>

#include <fstream>
#include <sstream>

#include "tests/hardening/elf_protections.h"

namespace davit::hardening {
namespace {

namespace fs = std::filesystem;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const fs::path kBuild = DAVIT_BUILD_DIR;
std::string text_of(const fs::path& file) {
  std::stringstream text;
  text << std::ifstream(file).rdbuf();
  return text.str();
}

constexpr Compiled kProgram{.stack_protector = DAVIT_SANITIZED == 0, .fortify = DAVIT_SANITIZED == 0};
constexpr Compiled kPlugin{.stack_protector = kProgram.stack_protector, .fortify = false};

TEST(HardeningTest, TheProgramHasEveryProtection) {
  const Protections program = read_protections(kBuild / "bin/davit");
  EXPECT_EQ(program.kind, FileKind::Program);
  EXPECT_THAT(weaknesses(program, kProgram), IsEmpty());
}

TEST(HardeningTest, EveryPluginHasEveryProtection) {
  std::size_t plugins = 0;
  std::istringstream shipped(SHIPPED_PLUGINS);
  for (std::string file; std::getline(shipped, file, ',');) {
    ++plugins;
    const Protections plugin = read_protections(file);
    EXPECT_EQ(plugin.kind, FileKind::Library) << file;
    EXPECT_THAT(weaknesses(plugin, kPlugin), IsEmpty()) << file;
  }
  std::size_t sources = 0;
  for (const char* kind : {"webhooks", "agents"})
    for (const auto& folder : fs::directory_iterator(fs::path(DAVIT_SOURCE_DIR) / "plugins" / kind))
      if (text_of(folder.path() / "CMakeLists.txt").find("davit_add_plugin(") != std::string::npos) ++sources;
  EXPECT_EQ(plugins, sources) << SHIPPED_PLUGINS;
}

// The check has teeth: it finds each protection in a file that has all, and each missing in files that have
// none.

TEST(HardeningTest, AFileWithAllProtectionsPasses) {
  const Protections good = read_protections(KNOWN_GOOD_PROGRAM);
  EXPECT_THAT(weaknesses(good, {}), IsEmpty());
  EXPECT_THAT(good.fortified, Contains("__strcpy_chk"));
}

TEST(HardeningTest, AProgramWithoutProtectionsIsConvictedOfEachOfThem) {
  const std::vector<std::string> found = weaknesses(read_protections(KNOWN_BAD_PROGRAM), {});
  EXPECT_THAT(found, Contains(HasSubstr("not position-independent")));
  EXPECT_THAT(found, Contains(HasSubstr("no RELRO")));
  EXPECT_THAT(found, Contains(HasSubstr("looked up late")));
  EXPECT_THAT(found, Contains(HasSubstr("stack is executable")));
  EXPECT_THAT(found, Contains(HasSubstr("no stack protector")));
  EXPECT_THAT(found, Contains(HasSubstr("no fortified function")));
  EXPECT_THAT(found, Contains(HasSubstr("looks for libraries in /somewhere/else")));
  EXPECT_THAT(found, SizeIs(7));
}

TEST(HardeningTest, ALibraryWhoseCodeIsChangedOrWritableIsConvicted) {
  const Compiled plainly{.stack_protector = false, .fortify = false};
  const Protections changed = read_protections(KNOWN_TEXTREL_LIBRARY);
  EXPECT_EQ(changed.kind, FileKind::Library);
  EXPECT_THAT(weaknesses(changed, plainly), Contains(HasSubstr("changed while it is loaded")));
  EXPECT_THAT(weaknesses(read_protections(KNOWN_WRITABLE_LIBRARY), plainly),
              Contains(HasSubstr("code that is writable")));
}

TEST(HardeningTest, ProtectionsThatAPresetLacksAreNotAskedFor) {
  const std::vector<std::string> all = weaknesses(read_protections(KNOWN_BAD_PROGRAM), {});
  const std::vector<std::string> fewer =
      weaknesses(read_protections(KNOWN_BAD_PROGRAM), {.stack_protector = false, .fortify = false});
  EXPECT_EQ(fewer.size() + 2, all.size());
}

TEST(HardeningTest, WhatIsNoElfFileIsRefused) {
  EXPECT_THROW(read_protections(fs::path(DAVIT_SOURCE_DIR) / "README.md"), std::runtime_error);
  EXPECT_THROW(read_protections(kBuild / "no such file"), std::runtime_error);
}

}  // namespace
}  // namespace davit::hardening
