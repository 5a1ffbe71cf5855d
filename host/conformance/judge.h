// What holds for everything that any hook says.
#pragma once

#include <string>
#include <string_view>

#include "host/base/result.h"
#include "host/conformance/check_host.h"

namespace davit::conformance {

// Status, sentence, encoding and size. False if the output is not to be looked at further. `with` says with
// which input: "an empty body".
bool judge_said(Reporter& report, std::string_view hook, std::string_view with, const Said& said);

// The verdict of a reader on an output: TooLarge is over a limit, else it cannot be read.
void judge_read(Reporter& report, std::string_view hook, std::string_view with, const Result<>& read);

// What create wrote, for both kinds: false if the struct cannot be used. `least` is the size of ABI minor 0.
bool judge_struct(Reporter& report, const Said& said, std::uint32_t written, std::uint32_t room,
                  std::uint32_t least);

}  // namespace davit::conformance
