// `davit plugins new`: a folder that builds, tests and serves as it is. Which files it gets: those of
// templates/any, and of the kind, the language, and both together; in the files, @WORDS@ are replaced, and in
// their names PLUGIN.
#include <cctype>
#include <ostream>
#include <set>

#include "host/base/file.h"
#include "host/cli/context.h"
#include "host/cli/plugin_templates.h"
#include "host/cli/table.h"
#include "host/plugin/metadata.h"

namespace davit::cli {
namespace {

namespace fs = std::filesystem;

struct NewPlugin {
  std::string kind, name, language = "cpp", directory;
};

// "order-lines": "Order" and "Lines".
std::vector<std::string> words_of(const std::string& name) {
  std::vector<std::string> words(1);
  for (const char c : name) {
    if (c == '-' || c == '_') {
      if (!words.back().empty()) words.emplace_back();
    } else {
      const bool first = words.back().empty();
      words.back() += first ? static_cast<char>(std::toupper(static_cast<unsigned char>(c))) : c;
    }
  }
  if (words.back().empty()) words.pop_back();
  return words;
}

std::string joined(const std::vector<std::string>& words, std::string_view between) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : std::string(between)) + word;
  return text;
}

std::string in_case(std::string text, int (*convert)(int)) {
  for (char& c : text) c = static_cast<char>(convert(static_cast<unsigned char>(c)));
  return text;
}

// `text`, ending in `end`.
std::string ending(std::string text, const std::string& end) {
  return text.ends_with(end) ? text : text + end;
}

// What its files are called. Never a bare word like "test", which CMake, Cargo and the languages keep for
// themselves.
std::string file_name_of(const NewPlugin& plugin) {
  return ending(in_case(joined(words_of(plugin.name), "_"), std::tolower), "_" + plugin.kind);
}

// What stands for each @WORD@ of the templates.
std::vector<std::pair<std::string, std::string>> replacements_for(const NewPlugin& plugin) {
  const std::vector<std::string> words = words_of(plugin.name);
  const std::string last = plugin.kind == "webhook" ? "Webhook" : "Agent";
  const std::string identifier = in_case(joined(words, "_"), std::tolower);
  const std::string variable = in_case(ending(identifier, "_webhook") + "_secret", std::toupper);
  return {{"@NAME@", plugin.name},
          {"@FILE@", file_name_of(plugin)},
          {"@CLASS@", ending(joined(words, ""), last)},
          {"@TITLE@", joined(words, " ")},
          {"@HEADER@", "X-" + joined(words, "-")},
          {"@VARIABLE@", variable}};
}

std::string replace_all(std::string text, const std::string& from, const std::string& to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
    text.replace(at, from.size(), to);
  return text;
}

std::set<std::string, std::less<>> folders_for(const NewPlugin& plugin) {
  const std::string both = plugin.kind + "-" + plugin.language;
  // Cargo tests by itself; the others share a test over the testing kit.
  if (plugin.language == "rust") return {"any", "rust", both};
  return {"any", plugin.kind, both};
}

Result<> write_files(const NewPlugin& plugin, const fs::path& folder, std::ostream& out) {
  const auto replacements = replacements_for(plugin);
  const auto folders = folders_for(plugin);
  for (const TemplateFile& file : kTemplateFiles) {
    if (!folders.contains(file.folder)) continue;
    const std::string path = file.path == "gitignore"
                                 ? ".gitignore"
                                 : replace_all(std::string(file.path), "PLUGIN", file_name_of(plugin));
    std::string text(file.text);
    for (const auto& [word, value] : replacements) text = replace_all(text, word, value);
    std::error_code error;
    fs::create_directories((folder / path).parent_path(), error);
    if (error)
      return Error{ErrorCode::Unavailable,
                   "cannot make " + (folder / path).parent_path().string() + ": " + error.message()};
    TRY(write_file_atomically(folder / path, text, 0644));
    out << "  " << path << '\n';
  }
  return {};
}

Result<int> create(const Context& context, const NewPlugin& plugin) {
  fs::path folder = plugin.directory.empty() ? fs::path(plugin.name) : fs::path(plugin.directory);
  if (!folder.has_filename()) folder = folder.parent_path();  // "folder/"
  std::error_code error, absent;
  if (fs::exists(fs::symlink_status(folder, absent)))
    return Error{ErrorCode::Conflict,
                 folder.string() + " exists already; name another folder with --directory, or remove it"};
  if (folder.has_parent_path()) fs::create_directories(folder.parent_path(), error);
  if (error || !fs::create_directory(folder, error))
    return Error{ErrorCode::Unavailable,
                 "cannot make the folder " + folder.string() + ": " + error.message()};
  std::ostream& out = context.surroundings.out;
  out << "Made " << printable(folder.string()) << " with\n";
  if (const Result<> written = write_files(plugin, folder, out); !written.ok()) {
    fs::remove_all(folder, error);
    return written.error();
  }
  out << "Next: its README.md, which begins with building and testing it\n";
  return kExitOk;
}

std::string check_name(const std::string& name) {
  return plugin::is_plugin_name(name)
             ? ""
             : "\"" + name + "\" is no name for a plugin; it must match [a-z][a-z0-9_-]{0,63}";
}

}  // namespace

void add_plugins_new(CLI::App& plugins, Context& context) {
  auto plugin = std::make_shared<NewPlugin>();
  CLI::App* command = add_command(plugins, context, "new",
                                  "Make a folder with a new plugin that builds, tests and serves as it is",
                                  [&context, plugin] { return create(context, *plugin); });
  command->add_option("kind", plugin->kind, "webhook or agent")
      ->required()
      ->check(CLI::IsMember({"webhook", "agent"}));
  command->add_option("name", plugin->name, "Its name, for example order-agent")
      ->required()
      ->check(check_name);
  command->add_option("--lang", plugin->language, "Language: cpp (default), c or rust")
      ->check(CLI::IsMember({"cpp", "c", "rust"}));
  command->add_option("--directory", plugin->directory, "The folder to make (default: the name, here)")
      ->type_name("DIR");
}

}  // namespace davit::cli
