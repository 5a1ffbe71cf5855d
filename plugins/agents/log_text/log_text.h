// What a program printed, for whoever has to find out why it failed: a workflow's job, a test.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "redact/redactor.h"

namespace log_text {

// Without the time in front of each line, terminal colours, hidden characters and secrets; at most the last
// `most` bytes of that, from the beginning of a line on. UTF-8, whatever came.
std::string readable_log(std::string_view log, std::size_t most, const redact::Redactor& redactor);

// At most the last `most` bytes, from the beginning of a line on where there is one.
std::string end_of(const std::string& text, std::size_t most);

}  // namespace log_text
