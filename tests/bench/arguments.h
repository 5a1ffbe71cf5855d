// What a bench program is called with: pairs of a name and a value, or --help.
#pragma once

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <string_view>
#include <system_error>
#include <variant>

namespace davit::bench {

// Where a value goes: a whole number from 1 on, one above 0, or any text but an empty one.
using Target = std::variant<int*, double*, std::string*>;

inline bool take(const Target& target, std::string_view text) {
  const auto number = [&](auto& value) {
    const char* const end = text.data() + text.size();
    const auto [last, error] = std::from_chars(text.data(), end, value);
    return error == std::errc() && last == end && value > 0 && value <= 1e9;
  };
  if (auto* const* whole = std::get_if<int*>(&target)) return number(**whole);
  if (auto* const* fraction = std::get_if<double*>(&target)) return number(**fraction);
  *std::get<std::string*>(target) = text;
  return !text.empty();
}

// Ends the program with 0 after `usage` where --help is asked for, with 2 and one line where an argument is
// wrong.
inline void read_arguments(int argc, const char* const* argv, const std::string& usage,
                           const std::map<std::string, Target>& options) {
  const auto refuse = [&](const std::string& why) {
    std::fprintf(stderr, "%s; usage: %s\n", why.c_str(), usage.c_str());
    std::exit(2);
  };
  for (int i = 1; i < argc; ++i) {
    if (std::string_view(argv[i]) != "--help" && std::string_view(argv[i]) != "-h") continue;
    std::printf("usage: %s\n", usage.c_str());
    std::exit(0);
  }
  for (int i = 1; i < argc; i += 2) {
    const auto option = options.find(argv[i]);
    if (option == options.end()) refuse("bench: " + std::string(argv[i]) + " is unknown");
    if (i + 1 == argc) refuse("bench: " + std::string(argv[i]) + " needs a value");
    if (!take(option->second, argv[i + 1]))
      refuse("bench: " + std::string(argv[i]) + " cannot be \"" + argv[i + 1] + "\"");
  }
}

}  // namespace davit::bench
