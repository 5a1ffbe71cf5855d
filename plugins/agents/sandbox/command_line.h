// What bubblewrap is told, as values: nothing here starts or changes anything.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "sandbox/policy.h"

namespace sandbox {

// By what names the program inside finds things.
inline constexpr const char* kWork = "/work";
inline constexpr const char* kHome = "/home/agent";
inline constexpr const char* kTemporary = "/tmp";
inline constexpr const char* kFiles = "/run/files";
inline constexpr const char* kStart = "/run/start";
inline constexpr int kProxyPort = 3128;  // nobody else listens in a network namespace of one's own

// Throws davit::Failure(InvalidInput) naming what makes no sense.
void check(const Policy& policy);

// A descriptor from which the bytes can be read, by the number it has in bubblewrap.
using Hand = std::function<int(std::string_view bytes)>;

// Its options but --args, --info-fd and --seccomp, which are about descriptors alone. `policy` was checked.
std::vector<std::string> options_for(const Policy& policy, const Hand& hand);

// What runs in it. `socket` is the number by which the listening socket goes out, or -1.
std::vector<std::string> command_for(const Policy& policy, int socket,
                                     const std::vector<std::string>& arguments);

}  // namespace sandbox
